"""The control API's process, put together."""
