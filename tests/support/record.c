/* SPDX-License-Identifier: MIT */
#include "support/record.h"
#include "ke/thread.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define CALLS 2048

static struct {
	pthread_mutex_t lock;
	struct call call[CALLS];
	unsigned count, compared, batch; /* batch: where the last comparison began */
	unsigned since[FAMILIES];        /* calls since then, those too that found no room */
	call_hook *hook[FAMILIES][128];
	char rules[512];
	bool listening;
} record = {.lock = PTHREAD_MUTEX_INITIALIZER};

OB_PREOP_CALLBACK_STATUS record_pre_result;

void record_reset_heard(void)
{
	record.count = record.compared = record.batch = 0;
	memset(record.since, 0, sizeof record.since);
}

void record_reset(void)
{
	record_reset_heard();
	memset(record.hook, 0, sizeof record.hook);
	record.rules[0] = 0;
	record_pre_result = OB_PREOP_SUCCESS;
}

void on_call(enum family family, unsigned who, call_hook *hook)
{
	record.hook[family][who] = hook;
}

/* ---- Writing down ------------------------------------------------------------------- */

static void note_state(struct call *call)
{
	call->current_process = PsGetCurrentProcess();
	call->current_thread = KeGetCurrentThread();
	call->irql = KeGetCurrentIrql();
	call->apcs_off = KeAreApcsDisabled();
	call->all_apcs_off = KeAreAllApcsDisabled();
	call->kernel_apc_disable = ke_thread_of(ke_current_thread())->kernel_apc_disable;
}

static void finish(struct call *call)
{
	note_state(call);
	if (record.hook[call->family][call->who])
		record.hook[call->family][call->who](call);
	call->info = NULL;
	call->image_info = NULL;
	call->pre = NULL;
	call->post = NULL;
}

/* Written down when it begins, so that nested calls stand behind it. */
static void note(struct call *call)
{
	pthread_mutex_lock(&record.lock);
	unsigned place = record.count < CALLS ? record.count++ : CALLS - 1;
	record.since[call->family]++;
	record.call[place] = *call;
	pthread_mutex_unlock(&record.lock);
	finish(call);
	pthread_mutex_lock(&record.lock);
	record.call[place] = *call;
	pthread_mutex_unlock(&record.lock);
}

static void to_text(char *text, size_t size, PCUNICODE_STRING string)
{
	size_t length = string ? string->Length / 2 : 0;
	length = length < size ? length : size - 1;
	for (size_t i = 0; i < length; i++)
		text[i] = (char)string->Buffer[i];
	text[length] = 0;
}

static void note_legacy(unsigned n, HANDLE parent, HANDLE process, BOOLEAN create)
{
	struct call call = {.family = LEGACY, .who = n, .create = create};
	call.parent_id = (ULONG64)parent;
	call.process_id = (ULONG64)process;
	note(&call);
}

static void note_ex(unsigned n, PEPROCESS process, HANDLE id, PPS_CREATE_NOTIFY_INFO info)
{
	struct call call = {.family = EX, .who = n, .create = info != NULL};
	call.process = process;
	call.process_id = (ULONG64)id;
	call.info = info;
	if (info) {
		call.told = *info;
		call.parent_id = (ULONG64)info->ParentProcessId;
		to_text(call.image, sizeof call.image, info->ImageFileName);
		to_text(call.command_line, sizeof call.command_line, info->CommandLine);
	}
	note(&call);
}

static void note_thread(unsigned n, HANDLE process, HANDLE thread, BOOLEAN create)
{
	struct call call = {.family = THREAD, .who = n, .create = create};
	call.process_id = (ULONG64)process;
	call.thread_id = (ULONG64)thread;
	note(&call);
}

static void note_image(unsigned n, PUNICODE_STRING name, HANDLE process, PIMAGE_INFO info)
{
	struct call call = {.family = IMAGE, .who = n, .create = true};
	call.process_id = (ULONG64)process;
	call.image_info = info;
	call.image_told = *info;
	call.has_name = name != NULL;
	to_text(call.image, sizeof call.image, name);
	note(&call);
}

/* ---- Seventy routines of each family ---------------------------------------------------- */

#define EACH_OF_TEN(X, tens)                                                                       \
	X(tens##0)                                                                                 \
	X(tens##1)                                                                                 \
	X(tens##2) X(tens##3) X(tens##4) X(tens##5) X(tens##6) X(tens##7) X(tens##8) X(tens##9)
#define EACH(X)                                                                                    \
	EACH_OF_TEN(X, 10)                                                                         \
	EACH_OF_TEN(X, 11)                                                                         \
	EACH_OF_TEN(X, 12)                                                                         \
	EACH_OF_TEN(X, 13) EACH_OF_TEN(X, 14) EACH_OF_TEN(X, 15) EACH_OF_TEN(X, 16)

#define DEFINE(n)                                                                                  \
	static VOID NTAPI legacy_##n(HANDLE parent, HANDLE process, BOOLEAN create)                \
	{                                                                                          \
		note_legacy(n - 100, parent, process, create);                                     \
	}                                                                                          \
	static VOID NTAPI ex_##n(PEPROCESS process, HANDLE id, PPS_CREATE_NOTIFY_INFO info)        \
	{                                                                                          \
		note_ex(n - 100, process, id, info);                                               \
	}                                                                                          \
	static VOID NTAPI thread_##n(HANDLE process, HANDLE thread, BOOLEAN create)                \
	{                                                                                          \
		note_thread(n - 100, process, thread, create);                                     \
	}                                                                                          \
	static VOID NTAPI image_##n(PUNICODE_STRING name, HANDLE process, PIMAGE_INFO info)        \
	{                                                                                          \
		note_image(n - 100, name, process, info);                                          \
	}
EACH(DEFINE)

#define LEGACY_ROW(n) legacy_##n,
#define EX_ROW(n) ex_##n,
#define THREAD_ROW(n) thread_##n,
#define IMAGE_ROW(n) image_##n,

PCREATE_PROCESS_NOTIFY_ROUTINE legacy_routine(unsigned n)
{
	static const PCREATE_PROCESS_NOTIFY_ROUTINE routine[ROUTINES] = {EACH(LEGACY_ROW)};
	return routine[n];
}

PCREATE_PROCESS_NOTIFY_ROUTINE_EX ex_routine(unsigned n)
{
	static const PCREATE_PROCESS_NOTIFY_ROUTINE_EX routine[ROUTINES] = {EACH(EX_ROW)};
	return routine[n];
}

PCREATE_THREAD_NOTIFY_ROUTINE thread_routine(unsigned n)
{
	static const PCREATE_THREAD_NOTIFY_ROUTINE routine[ROUTINES] = {EACH(THREAD_ROW)};
	return routine[n];
}

PLOAD_IMAGE_NOTIFY_ROUTINE image_routine(unsigned n)
{
	static const PLOAD_IMAGE_NOTIFY_ROUTINE routine[ROUTINES] = {EACH(IMAGE_ROW)};
	return routine[n];
}

/* ---- Object callbacks ---------------------------------------------------------------------- */

/* The context of letter L is context_of + L, which nothing is read from. Any other
 * context is that of a test's own registration, written down as '?'. */
static char context_of[128];

static unsigned letter_of(PVOID context)
{
	uintptr_t letter = (uintptr_t)context - (uintptr_t)context_of;
	return letter < sizeof context_of ? (unsigned)letter : '?';
}

OB_PREOP_CALLBACK_STATUS NTAPI record_pre(PVOID RegistrationContext,
					  POB_PRE_OPERATION_INFORMATION info)
{
	const OB_PRE_DUPLICATE_HANDLE_INFORMATION *parameters =
		&info->Parameters->DuplicateHandleInformation;
	struct call call = {.family = PRE};
	call.who = letter_of(RegistrationContext);
	call.registration_context = RegistrationContext;
	call.pre = info;
	call.object = info->Object;
	call.type = info->ObjectType;
	call.operation = info->Operation;
	call.flags = info->Flags;
	call.call_context = info->CallContext;
	call.desired = parameters->DesiredAccess;
	call.original = parameters->OriginalDesiredAccess;
	if (info->Operation == OB_OPERATION_HANDLE_DUPLICATE) {
		call.source = parameters->SourceProcess;
		call.target = parameters->TargetProcess;
	}
	note(&call);
	return record_pre_result;
}

VOID NTAPI record_post(PVOID RegistrationContext, POB_POST_OPERATION_INFORMATION info)
{
	struct call call = {.family = POST};
	call.who = letter_of(RegistrationContext);
	call.registration_context = RegistrationContext;
	call.post = info;
	call.object = info->Object;
	call.type = info->ObjectType;
	call.operation = info->Operation;
	call.flags = info->Flags;
	call.call_context = info->CallContext;
	call.status = info->ReturnStatus;
	call.has_parameters = info->Parameters != NULL;
	if (info->Parameters)
		call.granted = info->Parameters->CreateHandleInformation.GrantedAccess;
	note(&call);
}

NTSTATUS try_watch(char letter, const char *altitude, unsigned watched, PVOID *handle)
{
	static POBJECT_TYPE *const type[] = {&PsProcessType, &PsThreadType, &ExDesktopObjectType};
	OB_OPERATION operations = watched & (CREATES | DUPLICATES)
					  ? (watched & (CREATES | DUPLICATES)) / CREATES
					  : OB_OPERATION_HANDLE_CREATE |
						    OB_OPERATION_HANDLE_DUPLICATE;
	if (!(watched & (PROCESSES | THREADS | DESKTOPS)))
		watched |= PROCESSES;
	WCHAR text[64];
	USHORT length = 0;
	for (; altitude[length]; length++)
		text[length] = (unsigned char)altitude[length];
	OB_OPERATION_REGISTRATION operation[3];
	OB_CALLBACK_REGISTRATION registration = {
		.Version = OB_FLT_REGISTRATION_VERSION,
		.Altitude = {length * 2, length * 2, text},
		.RegistrationContext = context_of + letter,
		.OperationRegistration = operation,
	};
	for (unsigned i = 0; i < 3; i++)
		if (watched >> i & 1)
			operation[registration.OperationRegistrationCount++] =
				(OB_OPERATION_REGISTRATION){
					.ObjectType = type[i],
					.Operations = operations,
					.PreOperation = watched & POST_ONLY ? NULL : record_pre,
					.PostOperation = watched & PRE_ONLY ? NULL : record_post,
				};
	return ObRegisterCallbacks(&registration, handle);
}

PVOID watch(char letter, const char *altitude, unsigned watched)
{
	PVOID handle = NULL;
	assert_ntsuccess(try_watch(letter, altitude, watched, &handle));
	assert_non_null(handle);
	return handle;
}

/* ---- Comparing -------------------------------------------------------------------------------- */

static size_t print_call(char *text, size_t size, const struct call *call)
{
	static const char *const prefix[] = {"legacy", "ex", "thread", "image"};
	if (call->family == PRE || call->family == POST)
		return (size_t)snprintf(text, size, "%c%c", (int)call->who,
					call->family == PRE ? '<' : '>');
	return (size_t)snprintf(text, size, "%s%u%s", prefix[call->family], call->who,
				call->family == IMAGE ? ""
				: call->create        ? "+"
						      : "-");
}

void record_compare(const char *expected, const char *file, int line)
{
	char text[4096] = "";
	size_t length = 0;
	pthread_mutex_lock(&record.lock);
	for (unsigned i = record.compared; i < record.count && length < sizeof text - 16; i++) {
		if (i > record.compared)
			text[length++] = ' ';
		length += print_call(text + length, sizeof text - length, &record.call[i]);
	}
	text[length] = 0;
	record.batch = record.compared;
	record.compared = record.count;
	memset(record.since, 0, sizeof record.since);
	pthread_mutex_unlock(&record.lock);
	if (strcmp(text, expected) != 0) {
		print_error("heard    \"%s\"\nexpected \"%s\"\n", text, expected);
		_fail(file, line);
	}
}

const struct call *heard(unsigned n)
{
	assert_in_range(record.batch + n, record.batch, record.compared - 1);
	return &record.call[record.batch + n];
}

unsigned count_heard(enum family family)
{
	pthread_mutex_lock(&record.lock);
	unsigned count = record.since[family];
	pthread_mutex_unlock(&record.lock);
	return count;
}

/* ---- Rules --------------------------------------------------------------------------------------- */

static void listener(void *context, const struct rs_event *event)
{
	(void)context;
	if (event->type != RS_RULE_BROKEN)
		return;
	size_t length = strlen(record.rules);
	snprintf(record.rules + length, sizeof record.rules - length, "%s%s", length ? " " : "",
		 event->rule.clause);
}

void record_listen_for_rules(void)
{
	assert_int_equal(rs_listen(listener, NULL), 0);
	record.listening = true;
}

void record_stop_listening(void)
{
	if (record.listening)
		rs_unlisten(listener, NULL);
	record.listening = false;
}

void record_compare_rules(const char *expected, const char *file, int line)
{
	if (strcmp(record.rules, expected) != 0) {
		print_error("rules broken \"%s\"\nexpected     \"%s\"\n", record.rules, expected);
		_fail(file, line);
	}
	record.rules[0] = 0;
}
