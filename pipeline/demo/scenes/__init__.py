"""What the demo's cameras look at: photographs, varied from frame to frame, with faults drawn into them."""
