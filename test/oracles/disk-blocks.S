/*
 * Boot blocks for a test, which do what illumos' pmbr and isoboot do with the fields that installboot patches: the first
 * starts what STAGE1_STAGE2_LBA and STAGE1_STAGE2_SIZE name, the second says on COM1 what it was told.
 * Each says a letter when it runs. Assembled with -DPMBR or -DISOBOOT.
 */
	.code16
	.text
start:
#ifdef PMBR
	.equ	RELOCATED, 0x600
	jmp	code
	.org	0x40			/* behind the BIOS parameter block */
code:
	cli
	xor	%ax, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	mov	$0x7c00, %sp
	cld
	mov	$0x7c00, %si		/* out of the way of what comes next */
	mov	$RELOCATED, %di
	mov	$256, %cx
	rep movsw
	ljmp	$0, $(RELOCATED + moved - start)
moved:
	mov	$0x3f8, %bx
	push	%dx
	mov	%bx, %dx
	mov	$'P', %al
	out	%al, %dx
	pop	%dx
	pushl	RELOCATED + 0x102	/* STAGE1_STAGE2_LBA, high and low half */
	pushl	RELOCATED + 0xfe
	pushw	$0
	pushw	$0x7c00
	pushw	RELOCATED + 0xfc	/* STAGE1_STAGE2_SIZE */
	pushw	$16
	mov	%sp, %si
	mov	$0x42, %ah
	int	$0x13
	jc	failed
	ljmp	$0, $0x7c00
failed:
	mov	$0x3f8, %dx
	mov	$'!', %al
	out	%al, %dx
	hlt
	jmp	failed
	.org	0xfa
	.byte	1, 1
	.org	0x1fe
	.byte	0x55, 0xaa
#endif
#ifdef ISOBOOT
	.equ	SECTORS, 28
	jmp	code
	.balign	4
header:
	.long	0x1badb002, 0x10000, -(0x1badb002 + 0x10000)
	.long	0x7c00, 0, SECTORS * 512
target:
	.long	0, 0			/* bss_end_addr and what follows: the first sector of the ESP */
code:
	xor	%ax, %ax
	mov	%ax, %ds
	mov	$0x3f8, %dx
	mov	$'I', %al
	out	%al, %dx
	mov	0x7c00 + last - start, %al	/* there only if all of it was loaded */
	out	%al, %dx
	mov	0x7c00 + target - start, %ebx
	mov	$8, %cx
digit:
	rol	$4, %ebx
	mov	%bl, %al
	and	$15, %al
	add	$'0', %al
	cmp	$'9', %al
	jbe	print
	add	$('a' - '9' - 1), %al
print:
	out	%al, %dx
	loop	digit
	mov	$'.', %al
	out	%al, %dx
stop:	hlt
	jmp	stop
	.org	SECTORS * 512 - 1
last:	.byte	'L'
#endif
