/* SPDX-License-Identifier: MIT */
/* Local time, calendars, and what else drivers take from the system at random. */
#ifndef RINGSIDE_EX_TIME_H
#define RINGSIDE_EX_TIME_H

#include <ringside/nt.h>

typedef struct _TIME_FIELDS {
	CSHORT Year, Month, Day, Hour, Minute, Second, Milliseconds, Weekday; /* Sunday: 0 */
} TIME_FIELDS, *PTIME_FIELDS;
_Static_assert(sizeof(TIME_FIELDS) == 16, "wdm.h");

/* What is subtracted from system time (100 ns since 1601) to get local time, then. */
LONGLONG ex_time_zone_bias(LONGLONG system_time);

VOID NTAPI ExSystemTimeToLocalTime(PLARGE_INTEGER SystemTime, PLARGE_INTEGER LocalTime);
VOID NTAPI ExLocalTimeToSystemTime(PLARGE_INTEGER LocalTime, PLARGE_INTEGER SystemTime);
VOID NTAPI RtlTimeToTimeFields(PLARGE_INTEGER Time, PTIME_FIELDS TimeFields);
/* FALSE for a date that there is not. */
BOOLEAN NTAPI RtlTimeFieldsToTime(PTIME_FIELDS TimeFields, PLARGE_INTEGER Time);
/* FALSE outside of 1970 to 2106. */
BOOLEAN NTAPI RtlTimeToSecondsSince1970(PLARGE_INTEGER Time, PULONG ElapsedSeconds);
VOID NTAPI RtlSecondsSince1970ToTime(ULONG ElapsedSeconds, PLARGE_INTEGER Time);

#endif
