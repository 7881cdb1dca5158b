"""What the demo's cameras make of a frame: classical computer vision that knows nothing of what was drawn into it."""
