"""What is counted of each row: the sums that tests, metrics and the supervisor read. Pure."""
