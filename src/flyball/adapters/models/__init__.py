"""Model files and who answers from them. Begin with `predictor.py`: a release folder as something that answers."""
