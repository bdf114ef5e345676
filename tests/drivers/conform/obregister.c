/* SPDX-License-Identifier: MIT */
/*
 * Registration of object callbacks: what is accepted, what is refused, and which of two
 * defects decides the status. Nothing is left registered.
 *
 * Clauses: OB-1 to OB-16, OB-18, OB-22, OB-23, OB-61.
 */
#include "layers.h"

/* A registration that is in order; each check spoils a copy of it. */
typedef struct _ASKED {
	OB_CALLBACK_REGISTRATION Registration;
	OB_OPERATION_REGISTRATION Entry[3];
	LAYER Layer;
} ASKED;

#define ALTITUDE L"385960.7001"
#define OTHER_ALTITUDE L"385960.7002"

static VOID InOrder(ASKED *Asked)
{
	ULONG i;

	LayerInitialise(&Asked->Layer, 'A');
	Asked->Entry[0].ObjectType = PsProcessType;
	Asked->Entry[1].ObjectType = PsThreadType;
	Asked->Entry[2].ObjectType = ExDesktopObjectType;
	for (i = 0; i < RTL_NUMBER_OF(Asked->Entry); i++) {
		Asked->Entry[i].Operations = OB_OPERATION_HANDLE_CREATE;
		Asked->Entry[i].PreOperation = LayerPre;
		Asked->Entry[i].PostOperation = LayerPost;
	}
	Asked->Registration.Version = OB_FLT_REGISTRATION_VERSION;
	Asked->Registration.OperationRegistrationCount = 1;
	RtlInitUnicodeString(&Asked->Registration.Altitude, ALTITUDE);
	Asked->Registration.RegistrationContext = &Asked->Layer;
	Asked->Registration.OperationRegistration = Asked->Entry;
}

static NTSTATUS Register(ASKED *Asked)
{
	Asked->Layer.Handle = NULL;
	return ObRegisterCallbacks(&Asked->Registration, &Asked->Layer.Handle);
}

/* Registers, and unregisters what was registered. */
static NTSTATUS Try(ASKED *Asked)
{
	NTSTATUS status = Register(Asked);

	if (NT_SUCCESS(status))
		LayerUnregister(&Asked->Layer);
	return status;
}

static NTSTATUS TryVersion(USHORT Version)
{
	ASKED asked;

	InOrder(&asked);
	asked.Registration.Version = Version;
	return Try(&asked);
}

static VOID CheckVersion(VOID)
{
	CHECK("OB-01", OB_FLT_REGISTRATION_VERSION == 0x0100, "the version is 0x0100");
	CHECK("OB-01", ObGetFilterVersion() == OB_FLT_REGISTRATION_VERSION,
	      "ObGetFilterVersion returns it");
	CHECK_STATUS("OB-01", TryVersion(OB_FLT_REGISTRATION_VERSION), STATUS_SUCCESS,
		     "it is accepted");
	CHECK_STATUS("OB-01", TryVersion(0x0200), STATUS_INVALID_PARAMETER,
		     "0x0200 is INVALID_PARAMETER");
	CHECK_STATUS("OB-01", TryVersion(0), STATUS_INVALID_PARAMETER, "0 is INVALID_PARAMETER");
	CHECK_STATUS("OB-03", TryVersion(0x0101), STATUS_INVALID_PARAMETER,
		     "0x0101 is INVALID_PARAMETER: all of it counts (inferred)");
	CHECK("OB-02",
	      FindExport(L"ObRegisterCallbacks") && FindExport(L"ObUnRegisterCallbacks") &&
		      FindExport(L"ObGetFilterVersion"),
	      "the three calls are found at run time");
}

static NTSTATUS TryType(POBJECT_TYPE *Type)
{
	ASKED asked;

	InOrder(&asked);
	asked.Entry[0].ObjectType = Type;
	return Try(&asked);
}

static NTSTATUS TryOperations(OB_OPERATION Operations)
{
	ASKED asked;

	InOrder(&asked);
	asked.Entry[0].Operations = Operations;
	return Try(&asked);
}

static VOID CheckEntries(VOID)
{
	ASKED asked;

	InOrder(&asked);
	asked.Registration.OperationRegistrationCount = 0;
	CHECK_STATUS("OB-04", Try(&asked), STATUS_INVALID_PARAMETER,
		     "no entry is INVALID_PARAMETER (inferred)");

	InOrder(&asked);
	asked.Registration.OperationRegistrationCount = 2;
	asked.Entry[1].PreOperation = NULL;
	asked.Entry[1].PostOperation = NULL;
	CHECK_STATUS("OB-05", Try(&asked), STATUS_INVALID_PARAMETER,
		     "an entry with both routines NULL fails the whole (status inferred)");
	asked.Entry[1].PostOperation = LayerPost;
	CHECK_STATUS("OB-05", Try(&asked), STATUS_SUCCESS, "one of them is enough");
	asked.Entry[0].PostOperation = NULL;
	CHECK_STATUS("OB-05", Try(&asked), STATUS_SUCCESS, "either of them");

	CHECK_STATUS("OB-06", TryType(PsProcessType), STATUS_SUCCESS, "processes are supported");
	CHECK_STATUS("OB-06", TryType(PsThreadType), STATUS_SUCCESS, "threads are");
	CHECK_STATUS("OB-06", TryType(ExDesktopObjectType), STATUS_SUCCESS, "desktops are");
	CHECK_STATUS("OB-06", TryType(IoFileObjectType), STATUS_INVALID_PARAMETER,
		     "files are INVALID_PARAMETER");

	CHECK_STATUS("OB-09", TryOperations(0), STATUS_INVALID_PARAMETER,
		     "no operation is INVALID_PARAMETER (inferred)");
	CHECK_STATUS("OB-09", TryOperations(4), STATUS_INVALID_PARAMETER,
		     "an unknown one is (inferred)");
	CHECK_STATUS("OB-09", TryOperations(OB_OPERATION_HANDLE_CREATE | 0x80000000),
		     STATUS_INVALID_PARAMETER, "also beside a known one (inferred)");
	CHECK_STATUS("OB-09", TryOperations(OB_OPERATION_HANDLE_DUPLICATE), STATUS_SUCCESS,
		     "duplication alone will do (inferred)");
}

/* The variable is read at registration, and what it is afterwards does not matter. */
static VOID CheckTypeVariable(VOID)
{
	POBJECT_TYPE variable = *PsThreadType;
	ASKED asked;

	InOrder(&asked);
	asked.Entry[0].ObjectType = &variable;
	CHECK_STATUS("OB-07", Register(&asked), STATUS_SUCCESS,
		     "any variable that holds the type will do");
	variable = NULL;
	LayersBegin();
	OpenAndClose(SYNCHRONIZE);
	OpenAndCloseThread(SYNCHRONIZE);
	CHECK("OB-07", LayersWere("A<A>") && asked.Layer.Pre.ObjectType == *PsThreadType,
	      "it is read once, at registration");
	LayersEnd();
	LayerUnregister(&asked.Layer);
}

/* Where public dumps show the flags of a type. */
#define TYPE_FLAGS_OFFSET 0x42
#define SUPPORTS_OBJECT_CALLBACKS 0x40

static VOID CheckTypeFlag(VOID)
{
	PUCHAR flags = (PUCHAR)*IoFileObjectType + TYPE_FLAGS_OFFSET;

	if (!Parameters.Invasive)
		return;
	*flags |= SUPPORTS_OBJECT_CALLBACKS;
	CHECK_STATUS("OB-08", TryType(IoFileObjectType), STATUS_SUCCESS,
		     "setting bit 0x40 of its flags makes another type supported");
	*flags &= ~SUPPORTS_OBJECT_CALLBACKS;
	CHECK_STATUS("OB-08", TryType(IoFileObjectType), STATUS_INVALID_PARAMETER,
		     "clearing it ends that");
}

static VOID CheckIntegrity(VOID)
{
	PVOID nowhere = AddressInNoModule();
	ASKED asked;

	InOrder(&asked);
	ForgetIntegrity();
	CHECK_STATUS("OB-10", Try(&asked), STATUS_ACCESS_DENIED,
		     "routines of an image without integrity are ACCESS_DENIED");
	asked.Entry[0].PreOperation = NULL;
	CHECK_STATUS("OB-11", Try(&asked), STATUS_ACCESS_DENIED, "a post routine alone is too");
	RecallIntegrity();
	CHECK_STATUS("OB-11", Try(&asked), STATUS_SUCCESS,
		     "the bit of the module entry is what counts");
	if (nowhere == NULL)
		return;

	InOrder(&asked);
	asked.Entry[0].PreOperation = (POB_PRE_OPERATION_CALLBACK)(ULONG_PTR)nowhere;
	CHECK_STATUS("OB-11", Try(&asked), STATUS_ACCESS_DENIED,
		     "a pre routine in no module is ACCESS_DENIED");
	InOrder(&asked);
	asked.Entry[0].PostOperation = (POB_POST_OPERATION_CALLBACK)(ULONG_PTR)nowhere;
	CHECK_STATUS("OB-11", Try(&asked), STATUS_ACCESS_DENIED, "and so is a post routine");
	FreeAddressInNoModule(nowhere);
}

static VOID CheckCollision(VOID)
{
	ASKED first, second;
	PVOID untouched;

	InOrder(&first);
	first.Registration.OperationRegistrationCount = 2;
	CHECK_STATUS("OB-13", Register(&first), STATUS_SUCCESS,
		     "one registration takes its altitude for several types");

	InOrder(&second);
	CHECK_STATUS("OB-12", Try(&second), STATUS_FLT_INSTANCE_ALTITUDE_COLLISION,
		     "an altitude in use is 0xC01C0011");
	CHECK("OB-12", (ULONG)STATUS_FLT_INSTANCE_ALTITUDE_COLLISION == 0xC01C0011,
	      "which is FLT_INSTANCE_ALTITUDE_COLLISION");
	second.Entry[0].ObjectType = ExDesktopObjectType;
	CHECK_STATUS("OB-14", Try(&second), STATUS_SUCCESS,
		     "it is free for another type (inferred)");

	/* Desktops could be had, threads are taken. */
	second.Registration.OperationRegistrationCount = 2;
	untouched = &second;
	CHECK_STATUS("OB-16", ObRegisterCallbacks(&second.Registration, &untouched),
		     STATUS_FLT_INSTANCE_ALTITUDE_COLLISION,
		     "one entry that collides fails all (inferred)");
	CHECK("OB-16", untouched == &second, "the handle is not written (inferred)");
	second.Registration.OperationRegistrationCount = 1;
	CHECK_STATUS("OB-16", Try(&second), STATUS_SUCCESS,
		     "and nothing stays of the other entry (inferred)");

	InOrder(&second);
	LayerUnregister(&first.Layer);
	CHECK_STATUS("OB-61", Try(&second), STATUS_SUCCESS, "unregistering frees the altitude");

	second.Registration.OperationRegistrationCount = 2;
	second.Entry[1].ObjectType = PsProcessType;
	CHECK_STATUS("OB-15", Try(&second), STATUS_FLT_INSTANCE_ALTITUDE_COLLISION,
		     "two entries for one type collide (inferred)");
}

static VOID CheckApcLevel(VOID)
{
	ASKED asked;
	NTSTATUS status;
	KIRQL irql;

	InOrder(&asked);
	KeRaiseIrql(APC_LEVEL, &irql);
	status = Register(&asked);
	LayerUnregister(&asked.Layer);
	KeLowerIrql(irql);
	CHECK_STATUS("OB-18", status, STATUS_SUCCESS,
		     "registering and unregistering work at APC_LEVEL");
}

/* The arrays are overwritten before anything happens. */
static VOID CheckCapture(VOID)
{
	WCHAR text[] = ALTITUDE;
	ASKED asked, other;

	InOrder(&asked);
	asked.Registration.Altitude.Buffer = text;
	CHECK_STATUS("OB-22", Register(&asked), STATUS_SUCCESS, "a registration (inferred)");
	RtlFillMemory(asked.Entry, sizeof(asked.Entry), 0xFF);
	RtlFillMemory(text, sizeof(text), 0xFF);
	RtlFillMemory(&asked.Registration, sizeof(asked.Registration), 0xFF);
	LayersBegin();
	OpenAndClose(SYNCHRONIZE);
	CHECK("OB-22", LayersWere("A<A>"), "lives on without the array it was made of (inferred)");
	LayersEnd();
	InOrder(&other);
	CHECK_STATUS("OB-22", Try(&other), STATUS_FLT_INSTANCE_ALTITUDE_COLLISION,
		     "and without the text of its altitude (inferred)");
	LayerUnregister(&asked.Layer);
}

/* Two defects each; the one that is tested first decides. */
static VOID CheckOrder(VOID)
{
	ASKED asked, taken;

	InOrder(&asked);
	asked.Entry[0].ObjectType = IoFileObjectType;
	ForgetIntegrity();
	CHECK_STATUS("OB-23", Try(&asked), STATUS_INVALID_PARAMETER,
		     "the type is tested before the image (inferred)");
	InOrder(&asked);
	asked.Entry[0].Operations = 0;
	CHECK_STATUS("OB-23", Try(&asked), STATUS_INVALID_PARAMETER,
		     "operations are tested before the image (inferred)");
	InOrder(&asked);
	asked.Registration.Version = 0;
	CHECK_STATUS("OB-23", Try(&asked), STATUS_INVALID_PARAMETER,
		     "the version is tested before the image (inferred)");
	InOrder(&asked);
	asked.Registration.OperationRegistrationCount = 2;
	asked.Entry[1].ObjectType = IoFileObjectType;
	CHECK_STATUS("OB-23", Try(&asked), STATUS_ACCESS_DENIED,
		     "the first entry's image is tested before the second's type (inferred)");
	RecallIntegrity();

	InOrder(&taken);
	if (!NT_SUCCESS(Register(&taken)))
		return;
	InOrder(&asked);
	ForgetIntegrity();
	CHECK_STATUS("OB-23", Try(&asked), STATUS_ACCESS_DENIED,
		     "the image is tested before the altitude (inferred)");
	RecallIntegrity();
	InOrder(&asked);
	asked.Registration.OperationRegistrationCount = 2;
	asked.Entry[1].Operations = 0;
	CHECK_STATUS("OB-23", Try(&asked), STATUS_INVALID_PARAMETER,
		     "all entries are tested before any altitude (inferred)");
	LayerUnregister(&taken.Layer);
}

static VOID CheckUnregistering(VOID)
{
	LAYER layer;

	LayerInitialise(&layer, 'A');
	if (!NT_SUCCESS(LayerRegister(&layer, OTHER_ALTITUDE)))
		return;
	LayersBegin();
	OpenAndClose(SYNCHRONIZE);
	CHECK("OB-61", LayersWere("A<A>"), "while registered it is called");
	LayerUnregister(&layer);
	OpenAndClose(SYNCHRONIZE);
	CHECK("OB-61", LayersWere(""), "once unregistered it is not");
	LayersEnd();
}

VOID CheckObjectRegistration(VOID)
{
	CheckVersion();
	CheckEntries();
	CheckTypeVariable();
	CheckTypeFlag();
	CheckIntegrity();
	CheckCollision();
	CheckApcLevel();
	CheckCapture();
	CheckOrder();
	CheckUnregistering();
}
