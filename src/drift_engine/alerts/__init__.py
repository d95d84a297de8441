"""Alerts: rules over what engines say of themselves, and how people hear of them. Nothing here touches an engine."""

from drift_engine.alerts.desk import Alert, AlertDesk
from drift_engine.alerts.settings import AlertSettings, settings_from

__all__ = ["Alert", "AlertDesk", "AlertSettings", "settings_from"]
