"""Test suites: data, training, model and privacy. Pure: tables, answers and a generator go in, results come out."""
