/* SPDX-License-Identifier: MIT */
/*
 * The tree of named objects, and the walk along a name.
 *
 * A directory keeps a list of entries; an entry belongs to its object, whose header
 * points to it, and knows its directory, so that names can be told upwards. One lock,
 * a leaf, protects all of it. An entry of a permanent object holds a reference to it;
 * of any other it holds none, and ob_reference_unless_dead decides whether a look-up
 * still gets the object. An entry holds its directory, so a directory is never freed
 * under its entries.
 *
 * A link is replaced by its target and the walk begins again at the top; a name that
 * meets more than MAX_LINKS of them has none at its end.
 */
#include "ob/directory.h"
#include "ke/list.h"
#include "memory.h"
#include "rtl/case.h"
#include "rtl/utf.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>

#define MAX_LINKS 32
#define UNITS(string) ((unsigned)(string)->Length / 2)

struct ob_directory {
	LIST_ENTRY entries; /* struct ob_named.link */
};

struct ob_named {
	LIST_ENTRY link;
	struct ob_directory *directory; /* referenced */
	void *object;
	bool permanent;      /* the object is referenced */
	UNICODE_STRING name; /* one component */
};

POBJECT_TYPE ObpDirectoryObjectType, ObpSymbolicLinkObjectType;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct ob_directory *top;

/* ---- Entries, under the lock ------------------------------------------------------ */

static bool same_name(const UNICODE_STRING *a, const UNICODE_STRING *b)
{
	if (a->Length != b->Length)
		return false;
	for (unsigned i = 0; i < UNITS(a); i++)
		if (rtl_upcase(a->Buffer[i]) != rtl_upcase(b->Buffer[i]))
			return false;
	return true;
}

static struct ob_named *find_entry(struct ob_directory *directory, const UNICODE_STRING *name)
{
	for (LIST_ENTRY *link = directory->entries.Flink; link != &directory->entries;
	     link = link->Flink) {
		struct ob_named *entry = LIST_OWNER(link, struct ob_named, link);
		if (same_name(&entry->name, name))
			return entry;
	}
	return NULL;
}

static void *reference_entry(struct ob_directory *directory, const UNICODE_STRING *name)
{
	pthread_mutex_lock(&lock);
	struct ob_named *entry = find_entry(directory, name);
	void *object = entry && ob_reference_unless_dead(entry->object) ? entry->object : NULL;
	pthread_mutex_unlock(&lock);
	return object;
}

/* ---- The walk ----------------------------------------------------------------------- */

/* Takes the first component off `rest`, which begins with a backslash. */
static bool next_component(UNICODE_STRING *rest, UNICODE_STRING *component)
{
	unsigned length = 0, units = UNITS(rest);
	while (1 + length < units && rest->Buffer[1 + length] != '\\')
		length++;
	*component = (UNICODE_STRING){(USHORT)(2 * length), (USHORT)(2 * length), rest->Buffer + 1};
	rest->Buffer += 1 + length;
	rest->Length = rest->MaximumLength = (USHORT)(rest->Length - 2 - 2 * length);
	return length != 0;
}

/* The object at the end, or where a directory ends; both referenced. */
static NTSTATUS walk(struct ob_directory *directory, struct ob_lookup *found)
{
	ob_reference(directory);
	found->object = directory;
	while (found->rest.Length && ob_header_of(found->object)->type == ObpDirectoryObjectType) {
		UNICODE_STRING component;
		bool last_separator = found->rest.Length == 2;
		if (!next_component(&found->rest, &component) && !last_separator)
			return STATUS_OBJECT_NAME_INVALID;
		if (last_separator)
			return STATUS_SUCCESS; /* "\" and "\Device\" are the directory */
		void *next = reference_entry(found->object, &component);
		if (!next)
			return found->rest.Length ? STATUS_OBJECT_PATH_NOT_FOUND
						  : STATUS_OBJECT_NAME_NOT_FOUND;
		ob_dereference(found->object);
		found->object = next;
	}
	return STATUS_SUCCESS;
}

static char *append(char *to, const UNICODE_STRING *text)
{
	if (text->Length)
		memcpy(to, text->Buffer, text->Length);
	return to + text->Length;
}

static NTSTATUS set_path(struct ob_lookup *found, const UNICODE_STRING *first,
			 const UNICODE_STRING *second)
{
	size_t length = (size_t)first->Length + second->Length;
	if (length > 0xFFFC)
		return STATUS_NAME_TOO_LONG;
	WCHAR *text = host_alloc(length + sizeof(WCHAR));
	if (!text)
		return STATUS_INSUFFICIENT_RESOURCES;
	append(append((char *)text, first), second);
	rtl_free_string(&found->path);
	found->path = (UNICODE_STRING){(USHORT)length, (USHORT)(length + 2), text};
	found->rest = found->path;
	return STATUS_SUCCESS;
}

static NTSTATUS check_syntax(void *root, PCUNICODE_STRING name)
{
	bool absolute = name->Length >= 2 && name->Buffer[0] == '\\';
	if (name->Length % 2)
		return STATUS_OBJECT_NAME_INVALID;
	if (root && absolute)
		return STATUS_OBJECT_PATH_SYNTAX_BAD;
	return root || absolute ? STATUS_SUCCESS : STATUS_OBJECT_PATH_SYNTAX_BAD;
}

static bool is_link(const struct ob_lookup *found, bool open_link)
{
	return ob_header_of(found->object)->type == ObpSymbolicLinkObjectType &&
	       !(open_link && !found->rest.Length);
}

static NTSTATUS follow(struct ob_lookup *found)
{
	void *link = found->object;
	NTSTATUS status = set_path(found, ob_link_target(link), &found->rest);
	ob_dereference(link);
	found->object = NULL;
	if (NT_SUCCESS(status) && (!found->rest.Length || found->rest.Buffer[0] != '\\'))
		status = STATUS_OBJECT_PATH_SYNTAX_BAD;
	return status;
}

NTSTATUS ob_look_up(void *root, PCUNICODE_STRING name, bool open_link, struct ob_lookup *found)
{
	static const UNICODE_STRING separator = {2, 4, (PWSTR)(uintptr_t)u"\\"}, none = {0};
	*found = (struct ob_lookup){0};
	NTSTATUS status = check_syntax(root, name);
	if (NT_SUCCESS(status))
		status = set_path(found, root && name->Length ? &separator : &none, name);
	if (NT_SUCCESS(status))
		status = walk(root ? root : top, found);
	for (unsigned i = 0; NT_SUCCESS(status) && is_link(found, open_link); i++) {
		status = i == MAX_LINKS ? STATUS_OBJECT_NAME_NOT_FOUND : follow(found);
		if (NT_SUCCESS(status))
			status = walk(top, found);
	}
	if (!NT_SUCCESS(status)) {
		if (found->object)
			ob_dereference(found->object);
		found->object = NULL;
		ob_end_lookup(found);
	}
	return status;
}

void ob_end_lookup(struct ob_lookup *found)
{
	rtl_free_string(&found->path);
	found->rest = (UNICODE_STRING){0};
}

/* ---- Names that come and go ------------------------------------------------------------ */

static void split(PCUNICODE_STRING name, UNICODE_STRING *parent, UNICODE_STRING *last)
{
	unsigned units = UNITS(name), begin = units;
	while (begin && name->Buffer[begin - 1] != '\\')
		begin--;
	*last = (UNICODE_STRING){(USHORT)(2 * (units - begin)), (USHORT)(2 * (units - begin)),
				 name->Buffer + begin};
	/* Of the parent's name the backslash at its end stays: "\" is the top. */
	*parent = (UNICODE_STRING){(USHORT)(2 * begin), (USHORT)(2 * begin), name->Buffer};
}

static NTSTATUS find_parent(void *root, PCUNICODE_STRING name, struct ob_directory **parent,
			    UNICODE_STRING *last)
{
	struct ob_lookup found;
	UNICODE_STRING path;
	NTSTATUS status = check_syntax(root, name);
	if (!NT_SUCCESS(status))
		return status;
	split(name, &path, last);
	if (!last->Length)
		return STATUS_OBJECT_NAME_INVALID;
	if (root && !path.Length) {
		ob_reference(root);
		*parent = root;
		return STATUS_SUCCESS;
	}
	if (path.Length > 2)
		path.Length -= 2;
	status = ob_look_up(root, &path, false, &found);
	if (status == STATUS_OBJECT_NAME_NOT_FOUND)
		return STATUS_OBJECT_PATH_NOT_FOUND;
	if (!NT_SUCCESS(status))
		return status;
	bool directory = ob_header_of(found.object)->type == ObpDirectoryObjectType;
	ob_end_lookup(&found);
	*parent = found.object;
	if (directory)
		return STATUS_SUCCESS;
	ob_dereference(found.object);
	return STATUS_OBJECT_TYPE_MISMATCH;
}

static struct ob_named *make_entry(void *object, struct ob_directory *directory,
				   const UNICODE_STRING *name, bool permanent)
{
	struct ob_named *entry = host_alloc(sizeof(*entry) + name->Length);
	if (!entry)
		return NULL;
	entry->directory = directory;
	entry->object = object;
	entry->permanent = permanent;
	entry->name = (UNICODE_STRING){name->Length, name->Length, (PWSTR)(entry + 1)};
	memcpy(entry + 1, name->Buffer, name->Length);
	return entry;
}

static NTSTATUS enter(struct ob_named *entry)
{
	NTSTATUS status = STATUS_SUCCESS;
	pthread_mutex_lock(&lock);
	if (find_entry(entry->directory, &entry->name)) {
		status = STATUS_OBJECT_NAME_COLLISION;
	} else {
		list_add_last(&entry->directory->entries, &entry->link);
		ob_header_of(entry->object)->named = entry;
		if (entry->permanent)
			ob_reference(entry->object);
	}
	pthread_mutex_unlock(&lock);
	return status;
}

NTSTATUS ob_insert(void *object, void *root, PCUNICODE_STRING name, bool permanent)
{
	struct ob_directory *parent;
	UNICODE_STRING last;
	NTSTATUS status = find_parent(root, name, &parent, &last);
	if (!NT_SUCCESS(status))
		return status;
	struct ob_named *entry = make_entry(object, parent, &last, permanent);
	status = entry ? enter(entry) : STATUS_INSUFFICIENT_RESOURCES;
	if (!NT_SUCCESS(status)) {
		host_free(entry);
		ob_dereference(parent);
	}
	return status;
}

static void remove_entry(void *object, bool even_permanent)
{
	pthread_mutex_lock(&lock);
	struct ob_named *entry = ob_header_of(object)->named;
	if (entry && entry->permanent && !even_permanent)
		entry = NULL;
	if (entry) {
		list_remove(&entry->link);
		ob_header_of(object)->named = NULL;
	}
	pthread_mutex_unlock(&lock);
	if (!entry)
		return;
	bool permanent = entry->permanent;
	ob_dereference(entry->directory);
	host_free(entry);
	if (permanent)
		ob_dereference(object);
}

void ob_remove(void *object)
{
	remove_entry(object, true);
}

void ob_forget_name(void *object)
{
	remove_entry(object, false);
}

void ob_make_temporary(void *object)
{
	pthread_mutex_lock(&lock);
	struct ob_named *entry = ob_header_of(object)->named;
	bool was_permanent = entry && entry->permanent;
	if (was_permanent)
		entry->permanent = false;
	pthread_mutex_unlock(&lock);
	if (!was_permanent)
		return;
	if (atomic_load_explicit(&ob_header_of(object)->handles, memory_order_acquire) == 0)
		ob_forget_name(object);
	ob_dereference(object); /* the name's */
}

/* ---- Asking ------------------------------------------------------------------------------ */

static size_t full_length(const struct ob_named *entry)
{
	size_t length = 0;
	for (; entry; entry = ob_header_of(entry->directory)->named)
		length += sizeof(WCHAR) + entry->name.Length;
	return length;
}

static void write_backwards(const struct ob_named *entry, char *end)
{
	for (; entry; entry = ob_header_of(entry->directory)->named) {
		end -= entry->name.Length;
		memcpy(end, entry->name.Buffer, entry->name.Length);
		end -= sizeof(WCHAR);
		*(WCHAR *)(void *)end = '\\';
	}
}

NTSTATUS ob_name_of(void *object, UNICODE_STRING *name)
{
	NTSTATUS status = STATUS_SUCCESS;
	pthread_mutex_lock(&lock);
	const struct ob_named *entry = ob_header_of(object)->named;
	size_t length = object == top ? sizeof(WCHAR) : full_length(entry);
	char *text = length ? host_alloc(length + sizeof(WCHAR)) : NULL;
	if (text && object == top)
		*(WCHAR *)(void *)text = '\\';
	else if (text)
		write_backwards(entry, text + length);
	else if (length)
		status = STATUS_INSUFFICIENT_RESOURCES;
	pthread_mutex_unlock(&lock);
	if (NT_SUCCESS(status))
		*name = (UNICODE_STRING){(USHORT)length, (USHORT)(text ? length + 2 : 0),
					 (PWSTR)(void *)text};
	return status;
}

NTSTATUS ob_directory_entry(void *directory, ULONG index, UNICODE_STRING *name, POBJECT_TYPE *type)
{
	NTSTATUS status = STATUS_NO_MORE_ENTRIES;
	LIST_ENTRY *head = &((struct ob_directory *)directory)->entries;
	pthread_mutex_lock(&lock);
	LIST_ENTRY *link = head->Flink;
	while (link != head && index--)
		link = link->Flink;
	if (link != head) {
		const struct ob_named *entry = LIST_OWNER(link, struct ob_named, link);
		*type = ob_header_of(entry->object)->type;
		status = rtl_copy_string(&entry->name, name) ? STATUS_SUCCESS
							     : STATUS_INSUFFICIENT_RESOURCES;
	}
	pthread_mutex_unlock(&lock);
	return status;
}

/* ---- Boot ----------------------------------------------------------------------------------- */

void *ob_create_directory(void)
{
	struct ob_directory *directory = ob_create(ObpDirectoryObjectType, sizeof(*directory));
	if (directory)
		list_init(&directory->entries);
	return directory;
}

static bool plant(void *object, const WCHAR *name)
{
	unsigned units = 0;
	while (name[units])
		units++;
	UNICODE_STRING string = {(USHORT)(2 * units), (USHORT)(2 * units), (PWSTR)(uintptr_t)name};
	NTSTATUS status = object ? ob_insert(object, NULL, &string, true)
				 : STATUS_INSUFFICIENT_RESOURCES;
	if (object)
		ob_dereference(object);
	return NT_SUCCESS(status);
}

static void *link_to(const WCHAR *target, USHORT length)
{
	UNICODE_STRING string = {length, length, (PWSTR)(uintptr_t)target};
	return ob_create_link(&string);
}
#define LINK_TO(literal) link_to(literal, sizeof(literal) - sizeof(WCHAR))

int ob_boot_namespace(void)
{
	top = ob_create_directory();
	bool made = top && plant(ob_create_directory(), u"\\Device") &&
		    plant(ob_create_directory(), u"\\Driver") &&
		    plant(ob_create_directory(), u"\\FileSystem") &&
		    plant(ob_create_directory(), u"\\Callback") &&
		    plant(ob_create_directory(), u"\\BaseNamedObjects") &&
		    plant(ob_create_directory(), u"\\KnownDlls") &&
		    plant(ob_create_directory(), u"\\GLOBAL??") &&
		    plant(LINK_TO(u"\\GLOBAL??"), u"\\??") &&
		    plant(LINK_TO(u"\\??"), u"\\DosDevices") &&
		    plant(LINK_TO(u"\\GLOBAL??"), u"\\GLOBAL??\\Global") &&
		    plant(LINK_TO(u""), u"\\GLOBAL??\\GLOBALROOT");
	if (!made)
		ob_shutdown_namespace();
	return made ? 0 : -ENOMEM;
}

/* What is still in there loses its name; whoever holds it keeps it. */
static void empty(struct ob_directory *directory)
{
	while (!list_empty(&directory->entries)) {
		void *object = LIST_OWNER(directory->entries.Flink, struct ob_named, link)->object;
		if (ob_header_of(object)->type == ObpDirectoryObjectType)
			empty(object);
		ob_remove(object);
	}
}

void ob_shutdown_namespace(void)
{
	if (!top)
		return;
	empty(top);
	ob_dereference(top);
	top = NULL;
}
