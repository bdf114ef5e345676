/* SPDX-License-Identifier: MIT */
#include <stdio.h>

int main(void)
{
	puts("compiled under supervision");
	return 0;
}
