"""What a metric is on a sample of rows, and how sure it is. Begin with `sample`, `metrics` and `intervals`."""
