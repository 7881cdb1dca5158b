"""Demo factories: simulated plants whose cameras run real computer vision on photographs of the scikit-image wheel."""
