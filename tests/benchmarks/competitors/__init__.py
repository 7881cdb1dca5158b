"""What the worker is compared with: programs that do the same work on the same records, each as good as it gets."""
