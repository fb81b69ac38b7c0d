"""The command line. Start-up stays light: this file imports nothing until `main` is called."""


def main() -> None:
    """The console script `flyball`."""
    from flyball.app.cli.main import main as run

    run()
