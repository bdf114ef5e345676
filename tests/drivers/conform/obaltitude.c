/* SPDX-License-Identifier: MIT */
/*
 * Altitudes: which texts are accepted, which are the same, and how they order calls.
 *
 * Clauses: OB-19 to OB-21, OB-33, OB-34.
 */
#include "layers.h"

static NTSTATUS TryAltitude(PCWSTR Altitude)
{
	LAYER layer;
	NTSTATUS status;

	LayerInitialise(&layer, 'A');
	status = LayerRegister(&layer, Altitude);
	LayerUnregister(&layer);
	return status;
}

static VOID CheckTexts(VOID)
{
	CHECK_STATUS("OB-19", TryAltitude(L"conform"), STATUS_SUCCESS,
		     "an altitude need not be a number");
	CHECK_STATUS("OB-19", TryAltitude(L""), STATUS_SUCCESS, "nor have any text");
}

/* Registered in another order than they are to be called in. */
static VOID CheckCallOrder(VOID)
{
	static const PCWSTR altitudes[] = {L"10",     L"385210.5", L"9",
					   L"385211", L"385210",   L"385210.45"};
	LAYER layers[RTL_NUMBER_OF(altitudes)];
	BOOLEAN registered = TRUE;
	ULONG i;

	for (i = 0; i < RTL_NUMBER_OF(altitudes); i++) {
		LayerInitialise(&layers[i], (CHAR)('A' + i));
		registered = (BOOLEAN)(NT_SUCCESS(LayerRegister(&layers[i], altitudes[i])) &&
				       registered);
	}
	CHECK("OB-20", registered, "six altitudes of different values do not collide");
	LayersBegin();
	OpenAndClose(SYNCHRONIZE);
	CHECK("OB-33", LayersHave('<', "DBFEAC"),
	      "pre routines run from the highest altitude down (inferred)");
	CHECK("OB-34", LayersHave('>', "CAEFBD"),
	      "post routines run from the lowest altitude up (inferred)");
	CHECK("OB-20", LayersWere("D<B<F<E<A<C<C>A>E>F>B>D>"),
	      "they compare as decimal numbers, whatever the order of registration");
	LayersEnd();
	for (i = 0; i < RTL_NUMBER_OF(altitudes); i++)
		LayerUnregister(&layers[i]);
}

static VOID CheckEquality(VOID)
{
	LAYER layer;

	LayerInitialise(&layer, 'A');
	if (!NT_SUCCESS(LayerRegister(&layer, L"385960.75")))
		return;
	CHECK_STATUS("OB-21", TryAltitude(L"0385960.75"), STATUS_FLT_INSTANCE_ALTITUDE_COLLISION,
		     "a leading zero makes no difference (inferred)");
	CHECK_STATUS("OB-21", TryAltitude(L"385960.750"), STATUS_FLT_INSTANCE_ALTITUDE_COLLISION,
		     "nor does a trailing one behind the point (inferred)");
	CHECK_STATUS("OB-20", TryAltitude(L"385960.7500000000000000000000000000000000000000000001"),
		     STATUS_SUCCESS, "precision is unlimited");
	LayerUnregister(&layer);
}

VOID CheckAltitudes(VOID)
{
	CheckTexts();
	CheckCallOrder();
	CheckEquality();
}
