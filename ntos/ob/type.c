/* SPDX-License-Identifier: MIT */
/*
 * The object types: their rights, their generic mappings, what cannot be removed.
 *
 * A type lives from boot to shutdown and is an object itself no driver can delete.
 * The variables that drivers import hold pointers to the types (AB-5); the flag
 * that allows object callbacks can be set by a driver at run time (OB-8).
 *
 * Clauses: OB-6, OB-8, OB-47 and OB-48 (mapping and implied rights), OB-53, OB-54, VF-26.
 */
#include "ex/event.h"
#include "ob/directory.h"
#include "ob/object.h"
#include "ps/process.h"
#include "rtl/utf.h"
#include <errno.h>
#include <string.h>

POBJECT_TYPE PsProcessType, PsThreadType, ExDesktopObjectType;
POBJECT_TYPE IoFileObjectType, IoDriverObjectType, IoDeviceObjectType;
POBJECT_TYPE ExEventObjectType, ExSemaphoreObjectType, ExWindowStationObjectType;
POBJECT_TYPE CmKeyObjectType, SeTokenObjectType, MmSectionObjectType;
POBJECT_TYPE ExCallbackObjectType, PsJobType, TmTransactionObjectType;
POBJECT_TYPE TmResourceManagerObjectType;
POBJECT_TYPE FltConnectionPortObjectType, FltCommunicationPortObjectType;

/* OB-48: no mask arrives with 0x400 and without 0x1000, nor 0x200 without 0x2000. */
static ACCESS_MASK process_implied(ACCESS_MASK access)
{
	if (access & PROCESS_QUERY_INFORMATION)
		access |= PROCESS_QUERY_LIMITED_INFORMATION;
	if (access & PROCESS_SET_INFORMATION)
		access |= PROCESS_SET_LIMITED_INFORMATION;
	return access;
}

static ACCESS_MASK thread_implied(ACCESS_MASK access)
{
	if (access & THREAD_QUERY_INFORMATION)
		access |= THREAD_QUERY_LIMITED_INFORMATION;
	if (access & THREAD_SET_INFORMATION)
		access |= THREAD_SET_LIMITED_INFORMATION;
	return access;
}

struct type_row {
	POBJECT_TYPE *variable;
	PCWSTR name;
	GENERIC_MAPPING mapping;
	ULONG valid, retain;
	UCHAR flags;
	ACCESS_MASK (*implied)(ACCESS_MASK);
};

static const struct type_row rows[] = {
	{&PsProcessType,
	 u"Process",
	 {0x20410, 0x20BEA, 0x121001, 0x1FFFFF},
	 0x1FFFFF,
	 0x101000,
	 OB_SUPPORTS_OBJECT_CALLBACKS,
	 process_implied},
	{&PsThreadType,
	 u"Thread",
	 {0x20048, 0x20437, 0x121800, 0x1FFFFF},
	 0x1FFFFF,
	 0x101800,
	 OB_SUPPORTS_OBJECT_CALLBACKS,
	 thread_implied},
	{&ExDesktopObjectType,
	 u"Desktop",
	 {0x20041, 0x200BE, 0x20100, 0xF01FF},
	 0xF01FF,
	 0,
	 OB_SUPPORTS_OBJECT_CALLBACKS,
	 NULL},
	{&ExWindowStationObjectType,
	 u"WindowStation",
	 {0x20303, 0x2001C, 0x20060, 0xF037F},
	 0xF037F,
	 0,
	 0,
	 NULL},
	{&IoFileObjectType,
	 u"File",
	 {0x120089, 0x120116, 0x1200A0, 0x1F01FF},
	 0x1F01FF,
	 0,
	 0,
	 NULL},
	{&IoDriverObjectType,
	 u"Driver",
	 {0x20000, 0x20000, 0x20000, 0xF0000},
	 0x1F0000,
	 0,
	 0,
	 NULL},
	{&IoDeviceObjectType,
	 u"Device",
	 {0x120089, 0x120116, 0x1200A0, 0x1F01FF},
	 0x1F01FF,
	 0,
	 0,
	 NULL},
	{&ObpDirectoryObjectType,
	 u"Directory",
	 {0x20003, 0x2000C, 0x20003, 0xF000F},
	 0xF000F,
	 0,
	 0,
	 NULL},
	{&ObpSymbolicLinkObjectType,
	 u"SymbolicLink",
	 {0x20001, 0x20000, 0x20001, 0xF0001},
	 0xF0001,
	 0,
	 0,
	 NULL},
	{&ExEventObjectType,
	 u"Event",
	 {0x20001, 0x20002, 0x120000, 0x1F0003},
	 0x1F0003,
	 0,
	 0,
	 NULL},
	{&ExSemaphoreObjectType,
	 u"Semaphore",
	 {0x20001, 0x20002, 0x120000, 0x1F0003},
	 0x1F0003,
	 0,
	 0,
	 NULL},
	{&CmKeyObjectType, u"Key", {0x20019, 0x20006, 0x20039, 0xF003F}, 0x1F003F, 0, 0, NULL},
	{&SeTokenObjectType, u"Token", {0x2001A, 0x201E0, 0x20005, 0xF01FF}, 0x1F01FF, 0, 0, NULL},
	{&MmSectionObjectType,
	 u"Section",
	 {0x20005, 0x20002, 0x20008, 0xF001F},
	 0x1F001F,
	 0,
	 0,
	 NULL},
	{&FltConnectionPortObjectType,
	 u"FilterConnectionPort",
	 {0x20001, 0x10000, 0x20000, 0x1F0001},
	 0x1F0001,
	 0,
	 0,
	 NULL},
	{&FltCommunicationPortObjectType,
	 u"FilterCommunicationPort",
	 {0x20001, 0x10000, 0x20000, 0x1F0001},
	 0x1F0001,
	 0,
	 0,
	 NULL},
	{&ExCallbackObjectType,
	 u"Callback",
	 {0x20000, 0x20001, 0x120000, 0x1F0001},
	 0x1F0001,
	 0,
	 0,
	 NULL},
	/* Nothing is in a job, or part of a transaction. */
	{&PsJobType, u"Job", {0x20004, 0x2000B, 0x120000, 0x1F003F}, 0x1F003F, 0, 0, NULL},
	{&TmTransactionObjectType,
	 u"TmTx",
	 {0x120001, 0x12003E, 0x120018, 0x1F003F},
	 0x1F003F,
	 0,
	 0,
	 NULL},
	{&TmResourceManagerObjectType,
	 u"TmRm",
	 {0x120001, 0x12007E, 0x12005C, 0x1F007F},
	 0x1F007F,
	 0,
	 0,
	 NULL},
};
#define ROWS (sizeof rows / sizeof rows[0])

static void init_type(POBJECT_TYPE type, const struct type_row *row, UCHAR index)
{
	USHORT length = 0;
	while (row->name[length])
		length++;
	type->TypeList.Flink = type->TypeList.Blink = &type->TypeList;
	type->Name = (UNICODE_STRING){length * 2, length * 2 + 2, (PWSTR)(uintptr_t)row->name};
	type->Index = index;
	type->Length = 0x78; /* sizeof OBJECT_TYPE_INITIALIZER */
	type->ObjectTypeFlags = row->flags;
	type->GenericMapping = row->mapping;
	type->ValidAccessMask = row->valid;
	type->RetainAccess = row->retain;
	type->implied_access = row->implied;
	atomic_init(&type->callbacks.array, &ex_empty_array);
	pthread_mutex_init(&type->callbacks.lock, NULL);
}

/* What a driver has no business to write, as it was when it was last looked at. */
struct public_part {
	UCHAR flags;
	ULONG valid, retain, invalid_attributes;
	GENERIC_MAPPING mapping;
};
static struct public_part seen[ROWS];

static struct public_part public_part_of(POBJECT_TYPE type)
{
	return (struct public_part){type->ObjectTypeFlags, type->ValidAccessMask,
				    type->RetainAccess, type->InvalidAttributes,
				    type->GenericMapping};
}

static bool same(const struct public_part *a, const struct public_part *b)
{
	return a->flags == b->flags && a->valid == b->valid && a->retain == b->retain &&
	       a->invalid_attributes == b->invalid_attributes &&
	       memcmp(&a->mapping, &b->mapping, sizeof a->mapping) == 0;
}

/* Windows looks at them every few minutes; here it is when a driver registers, and when
 * one goes. */
void ob_check_types(const void *routine)
{
	for (size_t i = 0; i < ROWS; i++) {
		struct public_part now = public_part_of(*rows[i].variable);
		if (same(&now, &seen[i]))
			continue;
		char name[32];
		rtl_to_utf8(name, sizeof name, &(*rows[i].variable)->Name);
		ex_rule_broken(
			"VF-26", routine,
			"the object type %s was altered (flags 0x%02x, were 0x%02x): Windows "
			"would end in bug check 0x109 within minutes",
			name, now.flags, seen[i].flags);
		seen[i] = now;
	}
}

int ob_boot_types(void)
{
	for (size_t i = 0; i < ROWS; i++) {
		POBJECT_TYPE type = host_alloc(sizeof *type);
		if (!type) {
			ob_shutdown_types();
			return -ENOMEM;
		}
		init_type(type, &rows[i], (UCHAR)(i + 2));
		seen[i] = public_part_of(type);
		*rows[i].variable = type;
	}
	return 0;
}

void ob_shutdown_types(void)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (!*rows[i].variable)
			continue;
		ex_free_list(&(*rows[i].variable)->callbacks);
		host_free(*rows[i].variable);
		*rows[i].variable = NULL;
	}
}
