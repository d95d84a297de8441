"""The Risk-Center's server: what engines are seen and steered by, in a process of its own that no engine waits for."""
