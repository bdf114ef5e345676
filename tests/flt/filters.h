/* SPDX-License-Identifier: MIT */
/*
 * Minifilters made of this program's own functions: a driver object with a service key and
 * an instance at an altitude, registered through the exports, IRQL check included.
 */
#ifndef RINGSIDE_TESTS_FLT_FILTERS_H
#define RINGSIDE_TESTS_FLT_FILTERS_H

#include "cm/registry.h"
#include "flt/context.h"
#include "flt/flt.h"
#include "io/driver.h"
#include "memory.h"
#include "support/world.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define FLT(name) ((__typeof__(&name))flt_export(#name))

static inline void *flt_export(const char *name)
{
	void *found = rs_find_export("fltmgr.sys", name);
	assert_non_null(found);
	return found;
}

/* ---- What happened, in order ---------------------------------------------------------- */

/* Written under the lock, since workers and jobs say things too. Read without it only
 * where nobody says anything. */
static char said[2048], rules[2048];
static pthread_mutex_t said_lock = PTHREAD_MUTEX_INITIALIZER;

static inline void say(const char *format, ...)
{
	va_list arguments;
	pthread_mutex_lock(&said_lock);
	size_t length = strlen(said);
	va_start(arguments, format);
	vsnprintf(said + length, sizeof(said) - length, format, arguments);
	va_end(arguments);
	pthread_mutex_unlock(&said_lock);
}

/* Conditions for eventually(): all that was said, and a rule that was broken. */
static inline bool has_said(void *expected)
{
	pthread_mutex_lock(&said_lock);
	bool same = strcmp(said, expected) == 0;
	pthread_mutex_unlock(&said_lock);
	return same;
}

static inline bool has_broken(void *part)
{
	pthread_mutex_lock(&said_lock);
	bool found = strstr(rules, part) != NULL;
	pthread_mutex_unlock(&said_lock);
	return found;
}

static inline void assert_said(const char *expected)
{
	char all[sizeof(said)];
	pthread_mutex_lock(&said_lock);
	memcpy(all, said, sizeof(all));
	said[0] = 0;
	pthread_mutex_unlock(&said_lock);
	assert_string_equal(all, expected);
}

/* Part of a listener. */
static inline void note_rule(const struct rs_event *event)
{
	if (event->type != RS_RULE_BROKEN)
		return;
	pthread_mutex_lock(&said_lock);
	size_t length = strlen(rules);
	snprintf(rules + length, sizeof(rules) - length, "%s;", event->rule.text);
	pthread_mutex_unlock(&said_lock);
}

/* ---- Drivers ----------------------------------------------------------------------------- */

struct minifilter {
	KLDR_DATA_TABLE_ENTRY section;
	PDRIVER_OBJECT driver;
	PFLT_FILTER filter;
	const char *name;
};

static inline UNICODE_STRING wide(WCHAR *buffer, const char *text)
{
	USHORT length = 0;
	for (; text[length]; length++)
		buffer[length] = (WCHAR)(unsigned char)text[length];
	buffer[length] = 0;
	return (UNICODE_STRING){(USHORT)(2 * length), (USHORT)(2 * length + 2), buffer};
}

static inline void set_text(const char *key, const char *name, const char *text)
{
	WCHAR a[256], b[64], c[64];
	UNICODE_STRING path = wide(a, key), value = wide(b, name), data = wide(c, text);
	assert_ntsuccess(cm_set_value(&path, &value, REG_SZ, data.Buffer, data.Length + 2u));
}

static inline void set_number(const char *key, const char *name, ULONG number)
{
	WCHAR a[256], b[64];
	UNICODE_STRING path = wide(a, key), value = wide(b, name);
	assert_ntsuccess(cm_set_value(&path, &value, REG_DWORD, &number, sizeof(number)));
}

static inline void define_instance(const char *driver, const char *instance, const char *altitude,
				   ULONG flags)
{
	char key[256];
	snprintf(key, sizeof(key),
		 "\\REGISTRY\\MACHINE\\SYSTEM\\CurrentControlSet\\Services\\%s\\Instances\\%s",
		 driver, instance);
	set_text(key, "Altitude", altitude);
	set_number(key, "Flags", flags);
}

static inline void define_default(const char *driver, const char *instance)
{
	char key[256];
	snprintf(key, sizeof(key),
		 "\\REGISTRY\\MACHINE\\SYSTEM\\CurrentControlSet\\Services\\%s\\Instances", driver);
	set_text(key, "DefaultInstance", instance);
}

static inline void make_driver(struct minifilter *m, const char *name)
{
	WCHAR text[64];
	UNICODE_STRING wanted = wide(text, name);
	memset(m, 0, sizeof(*m));
	m->name = name;
	m->driver = io_create_driver(&wanted, &m->section, NULL);
	assert_non_null(m->driver);
}

/* A driver with one instance of that altitude. */
static inline void make_minifilter(struct minifilter *m, const char *name, const char *altitude)
{
	make_driver(m, name);
	define_instance(name, "only", altitude, 0);
	define_default(name, "only");
}

static inline NTSTATUS register_filter(struct minifilter *m, const FLT_REGISTRATION *registration)
{
	return FLT(FltRegisterFilter)(m->driver, registration, &m->filter);
}

static inline void drop_driver(struct minifilter *m)
{
	io_delete_driver(m->driver);
}

static inline void drop_minifilter(struct minifilter *m)
{
	FLT(FltUnregisterFilter)(m->filter);
	drop_driver(m);
}

/* The volume, without a reference: it does not go while the kernel is up. */
static inline PFLT_VOLUME the_volume(void)
{
	PFLT_VOLUME volume = flt_volume_at(0);
	assert_non_null(volume);
	flt_dereference(&volume->object);
	return volume;
}

#endif
