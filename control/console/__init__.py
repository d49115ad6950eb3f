"""What all commands share: options, output and progress, tables."""
