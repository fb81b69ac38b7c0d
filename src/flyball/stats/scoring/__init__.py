"""What a metric is on a sample of rows, and how sure it is: intervals, areas, calibration."""
