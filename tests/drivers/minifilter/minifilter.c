/* SPDX-License-Identifier: MIT */
/*
 * The driver of tests/flt/driver.test.c: a minifilter with a process notify routine, as the
 * public samples are built. It has no DriverUnload: the filter manager unloads it through its
 * unload callback. It says what happens with DbgPrint, and does what a message through its
 * port asks for; some of that is wrong on purpose.
 */
#include <fltKernel.h>

#define TAG 'tlFm'

/* What the headers lack, as the public symbols of the kernel show it. */
struct module_entry {
	LIST_ENTRY links;
	PVOID exception_table;
	ULONG exception_table_size;
	PVOID gp_value, non_paged_debug_info;
	PVOID base, entry_point;
	ULONG size_of_image;
	UNICODE_STRING full_name, base_name;
};

NTSYSAPI PVOID NTAPI RtlFindExportedRoutineByName(PVOID base, PCSTR name);

/* The slot of this driver's import address table. */
extern PVOID __imp_FltGetIrpName;

struct stream {
	LONG reads;
};

static struct {
	PDRIVER_OBJECT driver;
	PFLT_FILTER filter;
	PFLT_PORT server, client;
	EX_PUSH_LOCK lock;
	PFLT_INSTANCE instance;
	BOOLEAN stays;
} g;

/* Drivers are their own run-time library. */
void *memcpy(void *to, const void *from, size_t size);
void *memcpy(void *to, const void *from, size_t size)
{
	for (volatile char *t = to; size--; from = (const char *)from + 1)
		*t++ = *(const char *)from;
	return to;
}

static BOOLEAN same(const char *text, SIZE_T length, const char *word)
{
	while (length && *word && *text == *word)
		text++, word++, length--;
	return !length && !*word;
}

static VOID NTAPI late_unload(PDRIVER_OBJECT driver)
{
	(void)driver;
	DbgPrint("DriverUnload\n");
}

/* ---- Processes --------------------------------------------------------------------------- */

static VOID NTAPI on_process(PEPROCESS process, HANDLE id, PPS_CREATE_NOTIFY_INFO info)
{
	PFLT_FILE_NAME_INFORMATION name;
	(void)process;
	(void)id;
	if (!info || !info->FileObject)
		return;
	if (!NT_SUCCESS(FltGetFileNameInformationUnsafe(
		    info->FileObject, NULL, FLT_FILE_NAME_NORMALIZED | FLT_FILE_NAME_QUERY_DEFAULT,
		    &name)))
		return;
	FltParseFileNameInformation(name);
	DbgPrint("process %wZ of %wZ\n", &name->FinalComponent, &name->Volume);
	FltReleaseFileNameInformation(name);
}

/* ---- Operations ----------------------------------------------------------------------------- */

static FLT_PREOP_CALLBACK_STATUS NTAPI before(PFLT_CALLBACK_DATA data,
					      PCFLT_RELATED_OBJECTS objects, PVOID *context)
{
	PFLT_FILE_NAME_INFORMATION name;
	(void)objects;
	*context = NULL;
	if (!NT_SUCCESS(FltGetFileNameInformation(
		    data, FLT_FILE_NAME_NORMALIZED | FLT_FILE_NAME_QUERY_DEFAULT, &name)))
		return FLT_PREOP_SUCCESS_NO_CALLBACK;
	FltParseFileNameInformation(name);
	DbgPrint("pre %s %wZ\n", FltGetIrpName(data->Iopb->MajorFunction), &name->FinalComponent);
	static const UNICODE_STRING secret = RTL_CONSTANT_STRING(L"secret.txt");
	BOOLEAN deny = data->Iopb->MajorFunction == IRP_MJ_CREATE &&
		       RtlEqualUnicodeString(&name->FinalComponent, &secret, TRUE);
	FltReleaseFileNameInformation(name);
	if (deny) {
		data->IoStatus.Status = STATUS_ACCESS_DENIED;
		data->IoStatus.Information = 0;
		return FLT_PREOP_COMPLETE;
	}
	return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS NTAPI after(PFLT_CALLBACK_DATA data,
					      PCFLT_RELATED_OBJECTS objects, PVOID context,
					      FLT_POST_OPERATION_FLAGS flags)
{
	struct stream *stream;
	(void)context;
	(void)flags;
	DbgPrint("post %s %x\n", FltGetIrpName(data->Iopb->MajorFunction), data->IoStatus.Status);
	if (data->Iopb->MajorFunction != IRP_MJ_CREATE || !NT_SUCCESS(data->IoStatus.Status))
		return FLT_POSTOP_FINISHED_PROCESSING;
	if (NT_SUCCESS(FltAllocateContext(objects->Filter, FLT_STREAM_CONTEXT, sizeof(*stream),
					  NonPagedPool, (PFLT_CONTEXT *)&stream))) {
		NTSTATUS status = FltSetStreamContext(objects->Instance, objects->FileObject,
						      FLT_SET_CONTEXT_KEEP_IF_EXISTS, stream, NULL);
		DbgPrint("stream context %x\n", status);
		FltReleaseContext(stream);
	}
	return FLT_POSTOP_FINISHED_PROCESSING;
}

/* ---- Instances -------------------------------------------------------------------------------- */

static NTSTATUS NTAPI set_up(PCFLT_RELATED_OBJECTS objects, FLT_INSTANCE_SETUP_FLAGS flags,
			     DEVICE_TYPE device, FLT_FILESYSTEM_TYPE type)
{
	ULONG *context;
	NTSTATUS status = FltAllocateContext(objects->Filter, FLT_INSTANCE_CONTEXT, sizeof(ULONG),
					     NonPagedPool, (PFLT_CONTEXT *)&context);
	if (!NT_SUCCESS(status))
		return status;
	*context = 77;
	status = FltSetInstanceContext(objects->Instance, FLT_SET_CONTEXT_KEEP_IF_EXISTS, context,
				       NULL);
	FltReleaseContext(context);
	g.instance = objects->Instance;
	DbgPrint("setup %u %u %u\n", (unsigned)flags, (unsigned)device, (unsigned)type);
	return status;
}

static VOID NTAPI start(PCFLT_RELATED_OBJECTS objects, FLT_INSTANCE_TEARDOWN_FLAGS reason)
{
	(void)objects;
	DbgPrint("teardown starts %u\n", (unsigned)reason);
}

static VOID NTAPI complete(PCFLT_RELATED_OBJECTS objects, FLT_INSTANCE_TEARDOWN_FLAGS reason)
{
	ULONG *context;
	if (NT_SUCCESS(FltGetInstanceContext(objects->Instance, (PFLT_CONTEXT *)&context))) {
		DbgPrint("teardown completes %u with %u\n", (unsigned)reason, (unsigned)*context);
		FltReleaseContext(context);
	}
}

static VOID NTAPI cleanup(PFLT_CONTEXT context, FLT_CONTEXT_TYPE type)
{
	(void)context;
	DbgPrint("context %u goes\n", type);
}

/* ---- The port ------------------------------------------------------------------------------------ */

static NTSTATUS NTAPI connected(PFLT_PORT client, PVOID server_cookie, PVOID context, ULONG size,
				PVOID *cookie)
{
	(void)server_cookie;
	(void)context;
	DbgPrint("connected with %u bytes\n", (unsigned)size);
	g.client = client;
	*cookie = NULL;
	return STATUS_SUCCESS;
}

static VOID NTAPI disconnected(PVOID cookie)
{
	(void)cookie;
	DbgPrint("disconnected\n");
	FltCloseClientPort(g.filter, &g.client);
}

static NTSTATUS ask(void)
{
	char reply[8];
	ULONG size = sizeof(reply);
	NTSTATUS status = FltSendMessage(g.filter, &g.client, "question", 8, reply, &size, NULL);
	DbgPrint("reply %x of %u: %.*s\n", status, (unsigned)size, (int)size, reply);
	return status;
}

static PFLT_CONTEXT stream_context(void)
{
	PFLT_CONTEXT context = NULL;
	FltAllocateContext(g.filter, FLT_STREAM_CONTEXT, sizeof(struct stream), NonPagedPool,
			   &context);
	return context;
}

static NTSTATUS locks(void)
{
	FltAcquirePushLockShared(&g.lock);
	FltReleasePushLock(&g.lock);
	FltAcquirePushLockExclusive(&g.lock);
	BOOLEAN disabled = KeAreApcsDisabled();
	FltReleasePushLock(&g.lock);
	return disabled && !KeAreApcsDisabled() ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

/* As drivers find what they do not import: by name, and in the list of modules. */
static NTSTATUS walks(void)
{
	static const UNICODE_STRING wanted = RTL_CONSTANT_STRING(L"fltmgr.sys");
	struct module_entry *entry = g.driver->DriverSection;
	if (FltGetRoutineAddress("FltGetIrpName") != __imp_FltGetIrpName)
		return STATUS_UNSUCCESSFUL;
	for (LIST_ENTRY *link = entry->links.Flink; link != &entry->links; link = link->Flink) {
		struct module_entry *other = (struct module_entry *)link;
		/* The list's head is no entry; its name would be whatever lies behind it. */
		if (other->base_name.Length == wanted.Length && other->base &&
		    RtlEqualUnicodeString(&other->base_name, &wanted, TRUE))
			return RtlFindExportedRoutineByName(other->base, "FltGetIrpName") ==
					       __imp_FltGetIrpName
				       ? STATUS_SUCCESS
				       : STATUS_UNSUCCESSFUL;
	}
	return STATUS_NOT_FOUND;
}

static NTSTATUS obey(const char *word, SIZE_T length)
{
	PFLT_CONTEXT context;
	if (same(word, length, "ask"))
		return ask();
	if (same(word, length, "stays"))
		return g.stays = TRUE, STATUS_SUCCESS;
	if (same(word, length, "goes"))
		return g.stays = FALSE, STATUS_SUCCESS;
	if (same(word, length, "sets DriverUnload"))
		return g.driver->DriverUnload = late_unload, STATUS_SUCCESS;
	if (same(word, length, "has no DriverUnload"))
		return g.driver->DriverUnload = NULL, STATUS_SUCCESS;
	if (same(word, length, "locks"))
		return locks();
	if (same(word, length, "walks"))
		return walks();
	if (same(word, length, "start again"))
		return FltStartFiltering(g.filter);
	if (same(word, length, "release twice")) {
		context = stream_context();
		FltReleaseContext(context);
		FltReleaseContext(context);
	}
	if (same(word, length, "keep")) {
		DbgPrint("kept %p\n", stream_context());
		return STATUS_SUCCESS;
	}
	if (same(word, length, "close twice")) {
		FltCloseCommunicationPort(g.server);
		FltCloseCommunicationPort(g.server);
	}
	return STATUS_INVALID_PARAMETER;
}

static NTSTATUS NTAPI message(PVOID cookie, PVOID in, ULONG in_size, PVOID out, ULONG out_size,
			      PULONG returned)
{
	char word[32];
	(void)cookie;
	if (!in || in_size > sizeof(word))
		return STATUS_INVALID_PARAMETER;
	memcpy(word, in, in_size);
	NTSTATUS status = obey(word, in_size);
	if (NT_SUCCESS(status) && out && out_size >= 2) {
		memcpy(out, "ok", 2);
		*returned = 2;
	}
	return status;
}

/* ---- Coming and going --------------------------------------------------------------------------------- */

static NTSTATUS NTAPI unload(FLT_FILTER_UNLOAD_FLAGS flags)
{
	DbgPrint("unload %u\n", (unsigned)flags);
	if (g.stays)
		return STATUS_FLT_DO_NOT_DETACH;
	PsSetCreateProcessNotifyRoutineEx(on_process, TRUE);
	FltCloseCommunicationPort(g.server);
	FltUnregisterFilter(g.filter);
	FltDeletePushLock(&g.lock);
	DbgPrint("unregistered\n");
	return STATUS_SUCCESS;
}

static const FLT_CONTEXT_REGISTRATION contexts[] = {
	{FLT_INSTANCE_CONTEXT, 0, cleanup, sizeof(ULONG), TAG, NULL, NULL, NULL},
	{FLT_STREAM_CONTEXT, 0, cleanup, sizeof(struct stream), TAG, NULL, NULL, NULL},
	{.ContextType = FLT_CONTEXT_END},
};

static const FLT_OPERATION_REGISTRATION operations[] = {
	{IRP_MJ_CREATE, 0, before, after, NULL},  {IRP_MJ_READ, 0, before, after, NULL},
	{IRP_MJ_WRITE, 0, before, after, NULL},   {IRP_MJ_SET_INFORMATION, 0, before, after, NULL},
	{IRP_MJ_CLEANUP, 0, before, after, NULL}, {IRP_MJ_CLOSE, 0, before, after, NULL},
	{.MajorFunction = IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION registration = {
	.Size = sizeof(registration),
	.Version = FLT_REGISTRATION_VERSION,
	.ContextRegistration = contexts,
	.OperationRegistration = operations,
	.FilterUnloadCallback = unload,
	.InstanceSetupCallback = set_up,
	.InstanceTeardownStartCallback = start,
	.InstanceTeardownCompleteCallback = complete,
};

static NTSTATUS open_port(void)
{
	UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\RingsideFilter");
	PSECURITY_DESCRIPTOR descriptor;
	OBJECT_ATTRIBUTES attributes;
	NTSTATUS status = FltBuildDefaultSecurityDescriptor(&descriptor, FLT_PORT_ALL_ACCESS);
	if (!NT_SUCCESS(status))
		return status;
	InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE,
				   NULL, descriptor);
	status = FltCreateCommunicationPort(g.filter, &g.server, &attributes, NULL, connected,
					    disconnected, message, 1);
	FltFreeSecurityDescriptor(descriptor);
	return status;
}

/* Under the name "forgetful" it leaves its filter registered when it fails. */
static BOOLEAN is_forgetful(PDRIVER_OBJECT driver)
{
	static const UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Driver\\forgetful");
	return RtlEqualUnicodeString(&driver->DriverName, &name, TRUE);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
	(void)path;
	g.driver = driver;
	FltInitializePushLock(&g.lock);
	NTSTATUS status = FltRegisterFilter(driver, &registration, &g.filter);
	if (!NT_SUCCESS(status))
		return status;
	if (is_forgetful(driver))
		return STATUS_UNSUCCESSFUL;
	status = open_port();
	if (NT_SUCCESS(status))
		status = FltStartFiltering(g.filter);
	if (NT_SUCCESS(status))
		status = PsSetCreateProcessNotifyRoutineEx(on_process, FALSE);
	if (NT_SUCCESS(status))
		return status;
	if (g.server)
		FltCloseCommunicationPort(g.server);
	FltUnregisterFilter(g.filter);
	return status;
}
