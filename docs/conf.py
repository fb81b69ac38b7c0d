"""How Sphinx builds the documentation: Markdown in, a folder of pages out that asks the network for nothing."""

project = "Flyball"
author = "the Flyball contributors"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "Flyball"
html_show_sourcelink = False
myst_heading_anchors = 3
exclude_patterns = ["_build"]
