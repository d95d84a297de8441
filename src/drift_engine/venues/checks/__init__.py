"""What a doctor looks at, as small questions with one line for an answer: is this venue what we take it for?

Each check is a pure function of what was read, and ``examine`` reads it. A check never raises: what keeps it from an
answer is its answer.
"""
