"""`python -m flyball.app.cli`: the same door for a parent process that knows only its own interpreter."""

from flyball.app.cli.main import main

main()
