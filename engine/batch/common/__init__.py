"""What all parts of a batch share: tasks and outcomes, storage, errors."""
