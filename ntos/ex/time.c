/* SPDX-License-Identifier: MIT */
/*
 * Times of NT (100 ns since 1601-01-01, UTC) as local time and as calendar fields. No
 * state.
 *
 * The time zone is this program's, with the daylight saving of the given time; Windows
 * takes that of now. Days are counted from 1 March of year 0, which puts the leap day at
 * the end of its year: 146,097 days are 400 years, 1,461 are four.
 *
 * Pages: those of the routines' names.
 */
#include "ex/time.h"
#include <stdbool.h>
#include <time.h>

#define TICKS_PER_SECOND 10000000ll
#define TICKS_PER_DAY (86400 * TICKS_PER_SECOND)
#define SECONDS_TO_1970 11644473600ll
#define DAYS_TO_1601 584694 /* from 0000-03-01 */
#define FIRST_YEAR 1601
#define LAST_YEAR 30827

LONGLONG ex_time_zone_bias(LONGLONG system_time)
{
	time_t seconds = (time_t)(system_time / TICKS_PER_SECOND - SECONDS_TO_1970);
	struct tm local;
	return localtime_r(&seconds, &local) ? -local.tm_gmtoff * TICKS_PER_SECOND : 0;
}

VOID NTAPI ExSystemTimeToLocalTime(PLARGE_INTEGER SystemTime, PLARGE_INTEGER LocalTime)
{
	LocalTime->QuadPart = SystemTime->QuadPart - ex_time_zone_bias(SystemTime->QuadPart);
}

/* The bias at the local time, taken for a system time, is the right one but for the hours
 * around a change: hence the second look. */
VOID NTAPI ExLocalTimeToSystemTime(PLARGE_INTEGER LocalTime, PLARGE_INTEGER SystemTime)
{
	LONGLONG local = LocalTime->QuadPart;
	LONGLONG near = local + ex_time_zone_bias(local);
	SystemTime->QuadPart = local + ex_time_zone_bias(near);
}

static LONGLONG days_before(LONGLONG year, LONGLONG month, LONGLONG day)
{
	LONGLONG shifted = month < 3 ? month + 9 : month - 3;
	LONGLONG y = month < 3 ? year - 1 : year;
	return y * 365 + y / 4 - y / 100 + y / 400 + (153 * shifted + 2) / 5 + day - 1 -
	       DAYS_TO_1601;
}

static void set_date(TIME_FIELDS *fields, LONGLONG days)
{
	LONGLONG d = days + DAYS_TO_1601;
	LONGLONG era = d / 146097, of_era = d % 146097;
	LONGLONG year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	LONGLONG of_year = of_era - (365 * year + year / 4 - year / 100);
	LONGLONG shifted = (5 * of_year + 2) / 153;
	fields->Day = (CSHORT)(of_year - (153 * shifted + 2) / 5 + 1);
	fields->Month = (CSHORT)(shifted < 10 ? shifted + 3 : shifted - 9);
	fields->Year = (CSHORT)(era * 400 + year + (fields->Month < 3));
	fields->Weekday = (CSHORT)((days + 1) % 7); /* 1601-01-01 was a Monday */
}

VOID NTAPI RtlTimeToTimeFields(PLARGE_INTEGER Time, PTIME_FIELDS TimeFields)
{
	LONGLONG rest = Time->QuadPart % TICKS_PER_DAY;
	set_date(TimeFields, Time->QuadPart / TICKS_PER_DAY);
	LONGLONG seconds = rest / TICKS_PER_SECOND;
	TimeFields->Hour = (CSHORT)(seconds / 3600);
	TimeFields->Minute = (CSHORT)(seconds / 60 % 60);
	TimeFields->Second = (CSHORT)(seconds % 60);
	TimeFields->Milliseconds = (CSHORT)(rest % TICKS_PER_SECOND / 10000);
}

static bool between(CSHORT value, int low, int high)
{
	return value >= low && value <= high;
}

static bool is_date(const TIME_FIELDS *f)
{
	static const UCHAR days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	if (!between(f->Year, FIRST_YEAR, LAST_YEAR) || !between(f->Month, 1, 12))
		return false;
	bool leap = f->Year % 4 == 0 && (f->Year % 100 != 0 || f->Year % 400 == 0);
	return between(f->Day, 1, days[f->Month - 1] + (leap && f->Month == 2));
}

BOOLEAN NTAPI RtlTimeFieldsToTime(PTIME_FIELDS TimeFields, PLARGE_INTEGER Time)
{
	const TIME_FIELDS *f = TimeFields;
	if (!is_date(f) || !between(f->Hour, 0, 23) || !between(f->Minute, 0, 59) ||
	    !between(f->Second, 0, 59) || !between(f->Milliseconds, 0, 999))
		return FALSE;
	LONGLONG seconds = f->Hour * 3600 + f->Minute * 60 + f->Second;
	Time->QuadPart = days_before(f->Year, f->Month, f->Day) * TICKS_PER_DAY +
			 seconds * TICKS_PER_SECOND + f->Milliseconds * 10000;
	return TRUE;
}

BOOLEAN NTAPI RtlTimeToSecondsSince1970(PLARGE_INTEGER Time, PULONG ElapsedSeconds)
{
	LONGLONG seconds = Time->QuadPart / TICKS_PER_SECOND - SECONDS_TO_1970;
	if (seconds < 0 || seconds > UINT32_MAX)
		return FALSE;
	*ElapsedSeconds = (ULONG)seconds;
	return TRUE;
}

VOID NTAPI RtlSecondsSince1970ToTime(ULONG ElapsedSeconds, PLARGE_INTEGER Time)
{
	Time->QuadPart = (ElapsedSeconds + SECONDS_TO_1970) * TICKS_PER_SECOND;
}
