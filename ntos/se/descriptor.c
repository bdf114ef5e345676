/* SPDX-License-Identifier: MIT */
/*
 * Security descriptors: four parts, either as pointers (absolute, what the Set routines
 * take) or behind the descriptor as offsets (self-relative). No state.
 *
 * Pages: those of the routines' names.
 */
#include "se/descriptor.h"
#include <stdbool.h>
#include <string.h>

enum part { OWNER, GROUP, SACL, DACL };

struct place {
	enum part part;
	USHORT present, defaulted; /* bits of Control; present 0: it is when it is not NULL */
};

static const struct place owner = {OWNER, 0, SE_OWNER_DEFAULTED};
static const struct place group = {GROUP, 0, SE_GROUP_DEFAULTED};
static const struct place sacl = {SACL, SE_SACL_PRESENT, SE_SACL_DEFAULTED};
static const struct place dacl = {DACL, SE_DACL_PRESENT, SE_DACL_DEFAULTED};

NTSTATUS NTAPI RtlCreateSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, ULONG Revision)
{
	if (Revision != SECURITY_DESCRIPTOR_REVISION)
		return STATUS_UNKNOWN_REVISION;
	*SecurityDescriptor = (SECURITY_DESCRIPTOR){.Revision = SECURITY_DESCRIPTOR_REVISION};
	return STATUS_SUCCESS;
}

static void *part_of(const SECURITY_DESCRIPTOR *d, enum part part)
{
	if (!(d->Control & SE_SELF_RELATIVE)) {
		void *pointers[] = {d->Owner, d->Group, d->Sacl, d->Dacl};
		return pointers[part];
	}
	ULONG offset;
	memcpy(&offset, (const char *)d + 4 + part * sizeof offset, sizeof offset);
	return offset ? (char *)(uintptr_t)d + offset : NULL;
}

static NTSTATUS set(SECURITY_DESCRIPTOR *d, const struct place *place, bool present, void *what,
		    bool defaulted)
{
	if (d->Revision != SECURITY_DESCRIPTOR_REVISION)
		return STATUS_UNKNOWN_REVISION;
	if (d->Control & SE_SELF_RELATIVE)
		return STATUS_INVALID_SECURITY_DESCR;
	d->Control &= (USHORT) ~(place->present | place->defaulted);
	if (!present)
		return STATUS_SUCCESS;
	d->Control |= place->present | (defaulted ? place->defaulted : 0);
	void **parts[] = {(void **)&d->Owner, (void **)&d->Group, (void **)&d->Sacl,
			  (void **)&d->Dacl};
	*parts[place->part] = what;
	return STATUS_SUCCESS;
}

/* What is not present leaves *what and *defaulted as they are. */
static NTSTATUS get(const SECURITY_DESCRIPTOR *d, const struct place *place, PBOOLEAN present,
		    void **what, PBOOLEAN defaulted)
{
	if (d->Revision != SECURITY_DESCRIPTOR_REVISION)
		return STATUS_UNKNOWN_REVISION;
	if (present)
		*present = (d->Control & place->present) != 0;
	if (present && !*present)
		return STATUS_SUCCESS;
	*what = part_of(d, place->part);
	*defaulted = (d->Control & place->defaulted) != 0;
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlSetDaclSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor,
					    BOOLEAN DaclPresent, PACL Dacl, BOOLEAN DaclDefaulted)
{
	return set(SecurityDescriptor, &dacl, DaclPresent, Dacl, DaclDefaulted);
}

NTSTATUS NTAPI RtlSetSaclSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor,
					    BOOLEAN SaclPresent, PACL Sacl, BOOLEAN SaclDefaulted)
{
	return set(SecurityDescriptor, &sacl, SaclPresent, Sacl, SaclDefaulted);
}

NTSTATUS NTAPI RtlSetOwnerSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, PSID Owner,
					     BOOLEAN OwnerDefaulted)
{
	return set(SecurityDescriptor, &owner, true, Owner, OwnerDefaulted);
}

NTSTATUS NTAPI RtlSetGroupSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, PSID Group,
					     BOOLEAN GroupDefaulted)
{
	return set(SecurityDescriptor, &group, true, Group, GroupDefaulted);
}

NTSTATUS NTAPI RtlGetDaclSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor,
					    PBOOLEAN DaclPresent, PACL *Dacl,
					    PBOOLEAN DaclDefaulted)
{
	return get(SecurityDescriptor, &dacl, DaclPresent, (void **)Dacl, DaclDefaulted);
}

NTSTATUS NTAPI RtlGetSaclSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor,
					    PBOOLEAN SaclPresent, PACL *Sacl,
					    PBOOLEAN SaclDefaulted)
{
	return get(SecurityDescriptor, &sacl, SaclPresent, (void **)Sacl, SaclDefaulted);
}

NTSTATUS NTAPI RtlGetOwnerSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, PSID *Owner,
					     PBOOLEAN OwnerDefaulted)
{
	return get(SecurityDescriptor, &owner, NULL, (void **)Owner, OwnerDefaulted);
}

NTSTATUS NTAPI RtlGetGroupSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, PSID *Group,
					     PBOOLEAN GroupDefaulted)
{
	return get(SecurityDescriptor, &group, NULL, (void **)Group, GroupDefaulted);
}

static PACL list_of(const SECURITY_DESCRIPTOR *d, const struct place *place)
{
	return d->Control & place->present ? part_of(d, place->part) : NULL;
}

BOOLEAN NTAPI RtlValidSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor)
{
	const SECURITY_DESCRIPTOR *d = SecurityDescriptor;
	if (!d || d->Revision != SECURITY_DESCRIPTOR_REVISION)
		return FALSE;
	for (enum part part = OWNER; part <= GROUP; part++)
		if (part_of(d, part) && !RtlValidSid(part_of(d, part)))
			return FALSE;
	return (!list_of(d, &sacl) || RtlValidAcl(list_of(d, &sacl))) &&
	       (!list_of(d, &dacl) || RtlValidAcl(list_of(d, &dacl)));
}

static ULONG aligned(ULONG size)
{
	return (size + 3) & ~3u;
}

ULONG NTAPI RtlLengthSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor)
{
	const SECURITY_DESCRIPTOR *d = SecurityDescriptor;
	ULONG length = d->Control & SE_SELF_RELATIVE ? 4 + 4 * sizeof(ULONG) : sizeof *d;
	for (enum part part = OWNER; part <= GROUP; part++)
		if (part_of(d, part))
			length += aligned(RtlLengthSid(part_of(d, part)));
	PACL lists[] = {list_of(d, &sacl), list_of(d, &dacl)};
	for (unsigned i = 0; i < 2; i++)
		if (lists[i])
			length += aligned(lists[i]->AclSize);
	return length;
}
