"""The solver of gain fields, and what it works with: handles, listeners, differentiable filtering."""
