"""The gates, by theme: ``conduct`` (what the engine may do now), ``market`` (what the market allows), ``risk`` (what
the account would become). Which are asked, and in which order, stands in ``execution.safety_gates``.
"""
