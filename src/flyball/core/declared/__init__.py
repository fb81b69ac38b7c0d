"""What a service file and a gateway file say, section by section; `core.service` puts a service together."""
