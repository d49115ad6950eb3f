"""The functions and the block processor of the public interface: files or arrays in, typed results out."""
