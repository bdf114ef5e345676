/* SPDX-License-Identifier: MIT */
/*
 * The registry that a driver finds at boot: the keys that its documented paths lead
 * through, without values. Each is a fixture: it cannot be deleted.
 */
#include "cm/key.h"
#include "rtl/utf.h"
#include <errno.h>

/* Parents before children. A bare key takes no subkeys from drivers. */
static const struct {
	const char *path; /* below \REGISTRY */
	bool bare;
} planted[] = {
	{"MACHINE", true},
	{"MACHINE\\HARDWARE", false},
	{"MACHINE\\HARDWARE\\DEVICEMAP", false},
	{"MACHINE\\SOFTWARE", false},
	{"MACHINE\\SOFTWARE\\Microsoft", false},
	{"MACHINE\\SOFTWARE\\Microsoft\\Windows NT", false},
	{"MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion", false},
	{"MACHINE\\SYSTEM", false},
	{"MACHINE\\SYSTEM\\CurrentControlSet", false},
	{"MACHINE\\SYSTEM\\CurrentControlSet\\Control", false},
	{"MACHINE\\SYSTEM\\CurrentControlSet\\Services", false},
	{"USER", true},
	{"USER\\.DEFAULT", false},
};

static int plant(const char *path, bool bare)
{
	const struct cm_new_key how = {.fixture = true, .bare = bare};
	struct cm_node *node;
	UNICODE_STRING text;
	bool created;
	if (rtl_from_utf8(path, &text))
		return -ENOMEM;
	NTSTATUS status = cm_create(cm_root(), &text, &how, &node, &created);
	rtl_free_string(&text);
	if (!NT_SUCCESS(status))
		return -ENOMEM;
	cm_release(node);
	return 0;
}

int cm_boot(void)
{
	int result = cm_plant();
	for (size_t i = 0; result == 0 && i < sizeof(planted) / sizeof(planted[0]); i++)
		result = plant(planted[i].path, planted[i].bare);
	if (result == 0)
		result = cm_boot_keys();
	if (result)
		cm_fell();
	return result;
}

NTSTATUS cm_set_value(PCUNICODE_STRING path, PCUNICODE_STRING name, ULONG type, const void *data,
		      ULONG size)
{
	const struct cm_new_key how = {0};
	UNICODE_STRING rest = *path, component;
	struct cm_node *node;
	NTSTATUS status = cm_enter_root(&rest);
	if (!NT_SUCCESS(status))
		return status;
	node = cm_root();
	cm_reference(node);
	while (NT_SUCCESS(status) && cm_next_component(&rest, &component)) {
		struct cm_node *parent = node;
		bool created;
		status = cm_create(parent, &component, &how, &node, &created);
		cm_release(parent);
	}
	if (!NT_SUCCESS(status))
		return status;
	status = cm_put_value(node, name, type, data, size);
	cm_release(node);
	return status;
}

void cm_shutdown(void)
{
	cm_shutdown_keys();
	cm_fell();
}
