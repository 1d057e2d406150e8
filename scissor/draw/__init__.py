"""What can be seen of a compression: overlays, the similarity graph, charts, one palette."""
