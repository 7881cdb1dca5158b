"""What happens to data: a pure core, and thin edges around it."""
