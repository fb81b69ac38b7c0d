"""What is written up of services: facts, rows and digests, for the controller and for whoever asks."""
