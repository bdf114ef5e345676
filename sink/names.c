/* SPDX-License-Identifier: MIT */
#include "sink/names.h"
#include "ob/object.h"
#include <string.h>
#include <sys/wait.h>

struct right {
	ACCESS_MASK bit;
	const char *name;
};

#define RIGHT(name)                                                                                \
	{                                                                                          \
		name, #name                                                                        \
	}

static const struct right process_rights[] = {
	RIGHT(PROCESS_TERMINATE),
	RIGHT(PROCESS_CREATE_THREAD),
	RIGHT(PROCESS_SET_SESSIONID),
	RIGHT(PROCESS_VM_OPERATION),
	RIGHT(PROCESS_VM_READ),
	RIGHT(PROCESS_VM_WRITE),
	RIGHT(PROCESS_DUP_HANDLE),
	RIGHT(PROCESS_CREATE_PROCESS),
	RIGHT(PROCESS_SET_QUOTA),
	RIGHT(PROCESS_SET_INFORMATION),
	RIGHT(PROCESS_QUERY_INFORMATION),
	RIGHT(PROCESS_SUSPEND_RESUME),
	RIGHT(PROCESS_QUERY_LIMITED_INFORMATION),
	RIGHT(PROCESS_SET_LIMITED_INFORMATION),
	{0, NULL},
};

static const struct right thread_rights[] = {
	RIGHT(THREAD_TERMINATE),
	RIGHT(THREAD_SUSPEND_RESUME),
	RIGHT(THREAD_ALERT),
	RIGHT(THREAD_GET_CONTEXT),
	RIGHT(THREAD_SET_CONTEXT),
	RIGHT(THREAD_SET_INFORMATION),
	RIGHT(THREAD_QUERY_INFORMATION),
	RIGHT(THREAD_SET_THREAD_TOKEN),
	RIGHT(THREAD_IMPERSONATE),
	RIGHT(THREAD_DIRECT_IMPERSONATION),
	RIGHT(THREAD_SET_LIMITED_INFORMATION),
	RIGHT(THREAD_QUERY_LIMITED_INFORMATION),
	RIGHT(THREAD_RESUME),
	{0, NULL},
};

static const struct right desktop_rights[] = {
	{0x0001, "DESKTOP_READOBJECTS"},   {0x0002, "DESKTOP_CREATEWINDOW"},
	{0x0004, "DESKTOP_CREATEMENU"},    {0x0008, "DESKTOP_HOOKCONTROL"},
	{0x0010, "DESKTOP_JOURNALRECORD"}, {0x0020, "DESKTOP_JOURNALPLAYBACK"},
	{0x0040, "DESKTOP_ENUMERATE"},     {0x0080, "DESKTOP_WRITEOBJECTS"},
	{0x0100, "DESKTOP_SWITCHDESKTOP"}, {0, NULL},
};

static const struct right standard_rights[] = {
	RIGHT(DELETE),          RIGHT(READ_CONTROL), RIGHT(WRITE_DAC),
	RIGHT(WRITE_OWNER),     RIGHT(SYNCHRONIZE),  RIGHT(ACCESS_SYSTEM_SECURITY),
	RIGHT(MAXIMUM_ALLOWED), RIGHT(GENERIC_ALL),  RIGHT(GENERIC_EXECUTE),
	RIGHT(GENERIC_WRITE),   RIGHT(GENERIC_READ), {0, NULL},
};

static bool is_specific(ACCESS_MASK bit)
{
	return bit <= SPECIFIC_RIGHTS_ALL;
}

static const char *find_right(const struct right *right, ACCESS_MASK bit)
{
	while (right->name && right->bit != bit)
		right++;
	return right->name;
}

const char *sink_right_name(POBJECT_TYPE type, ACCESS_MASK bit)
{
	if (!is_specific(bit))
		return find_right(standard_rights, bit);
	if (type == PsThreadType)
		return find_right(thread_rights, bit);
	if (type == ExDesktopObjectType)
		return find_right(desktop_rights, bit);
	return find_right(process_rights, bit);
}

static const char *const type_names[] = {"process", "thread", "desktop"};

const char *sink_type_name(POBJECT_TYPE type)
{
	return type_names[type == PsThreadType ? 1 : type == ExDesktopObjectType ? 2 : 0];
}

const char *sink_type_of_bit(unsigned bit)
{
	return bit < sizeof(type_names) / sizeof(*type_names) ? type_names[bit] : NULL;
}

static const struct {
	const char *field, *name;
	bool phases;
} kinds[RS_CALLBACK_KINDS] = {
	[RS_PROCESS_LEGACY] = {"process_legacy", "process", true},
	[RS_PROCESS_EX] = {"process_ex", "process Ex", true},
	[RS_PROCESS_EX2] = {"process_ex2", "process Ex2", true},
	[RS_THREAD] = {"thread", "thread", true},
	[RS_THREAD_NON_SYSTEM] = {"thread_non_system", "thread Ex, non-system", true},
	[RS_THREAD_SUBSYSTEMS] = {"thread_subsystems", "thread Ex, subsystems", true},
	[RS_IMAGE] = {"image", "image", false},
	[RS_OBJECT_PRE] = {"object_pre", "object, pre-operation", false},
	[RS_OBJECT_POST] = {"object_post", "object, post-operation", false},
	[RS_REGISTRY] = {"registry", "registry", false},
	[RS_FILE_PRE] = {"file_pre", "file, pre-operation", false},
	[RS_FILE_POST] = {"file_post", "file, post-operation", false},
};

const char *sink_kind_field(enum rs_callback_kind kind)
{
	return kinds[kind].field;
}

const char *sink_kind_name(enum rs_callback_kind kind)
{
	return kinds[kind].name;
}

bool sink_kind_has_phases(enum rs_callback_kind kind)
{
	return kinds[kind].phases;
}

UNICODE_STRING sink_base_name(const UNICODE_STRING *path)
{
	UNICODE_STRING base = *path;
	WCHAR separator = base.Length && base.Buffer[0] == u'/' ? u'/' : u'\\';
	for (unsigned i = base.Length / sizeof(WCHAR); i > 0; i--) {
		if (path->Buffer[i - 1] != separator)
			continue;
		base.Buffer += i;
		base.Length -= (USHORT)(i * sizeof(WCHAR));
		break;
	}
	return base;
}

/* The specific rights begin with the type's name, which is said once; a mask of
 * everything has a name of its own, since nobody reads 19 rights. */
void sink_say_rights(struct sink_line *line, POBJECT_TYPE type, ACCESS_MASK rights)
{
	const char *separator = "";
	if (rights == PROCESS_ALL_ACCESS) {
		sink_sayf(line, "%s_ALL_ACCESS", type == PsThreadType ? "THREAD" : "PROCESS");
		return;
	}
	for (ACCESS_MASK left = rights; left; left &= left - 1) {
		ACCESS_MASK bit = left & -left;
		const char *name = sink_right_name(type, bit);
		sink_say(line, separator);
		if (name)
			sink_say(line,
				 *separator && is_specific(bit) ? strchr(name, '_') + 1 : name);
		else
			sink_sayf(line, "0x%x", bit);
		separator = ", ";
	}
	if (!rights)
		sink_say(line, "no right");
}

void sink_say_status(struct sink_line *line, NTSTATUS status)
{
	const char *name = rs_status_name(status);
	if (name)
		sink_say(line, name);
	else
		sink_sayf(line, "status 0x%08X", (unsigned)status);
}

void sink_say_module(struct sink_line *line, const KLDR_DATA_TABLE_ENTRY *module)
{
	if (module)
		sink_quote_utf16(line, &module->BaseDllName);
	else
		sink_say(line, "(no module)");
}

void sink_say_address(struct sink_line *line, const KLDR_DATA_TABLE_ENTRY *module,
		      const void *address)
{
	uintptr_t offset = (uintptr_t)address - (uintptr_t)(module ? module->DllBase : NULL);
	if (!module || offset >= module->SizeOfImage) {
		sink_sayf(line, "%p", address);
		return;
	}
	sink_say_module(line, module);
	sink_sayf(line, "+0x%zx", (size_t)offset);
}

void sink_say_duration(struct sink_line *line, ULONG64 nanoseconds)
{
	static const char *const unit[] = {"ns", "µs", "ms", "s"};
	unsigned scale = 0;
	ULONG64 divisor = 1;
	while (scale < 3 && nanoseconds / divisor >= 1000) {
		divisor *= 1000;
		scale++;
	}
	unsigned long whole = (unsigned long)(nanoseconds / divisor);
	unsigned long part = (unsigned long)(nanoseconds % divisor * 100 / divisor);
	if (scale == 0 || whole >= 100)
		sink_sayf(line, "%lu %s", whole, unit[scale]);
	else if (whole >= 10)
		sink_sayf(line, "%lu.%lu %s", whole, part / 10, unit[scale]);
	else
		sink_sayf(line, "%lu.%02lu %s", whole, part, unit[scale]);
}

void sink_say_wait_status(struct sink_line *line, int status)
{
	const char *name;
	if (!WIFSIGNALED(status)) {
		sink_sayf(line, "exited with %d", WEXITSTATUS(status));
		return;
	}
	name = sigabbrev_np(WTERMSIG(status));
	if (name)
		sink_sayf(line, "killed by SIG%s", name);
	else
		sink_sayf(line, "killed by signal %d", WTERMSIG(status));
}
