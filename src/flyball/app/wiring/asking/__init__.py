"""Questions that people ask of a home: rows and answers, lineage, levels, differences. Each verb has its file."""
