"""How the console writes times: to the second, and with their zone, since staff work in several.

No-break spaces keep a time in a narrow column on two lines.
"""

DATE_FORMAT = "j\u00a0M\u00a0Y"
TIME_FORMAT = "H:i:s"
DATETIME_FORMAT = "j\u00a0M\u00a0Y, H:i:s\u00a0T"
SHORT_DATE_FORMAT = DATE_FORMAT
SHORT_DATETIME_FORMAT = DATETIME_FORMAT
