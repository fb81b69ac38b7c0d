"""The vocabulary: frozen records, ports, errors and the codec. Imports nothing else of ours."""
