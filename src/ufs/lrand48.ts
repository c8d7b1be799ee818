// The generation numbers that illumos' mkfs gives its inodes: lrand48() after srand48(time + pid), which is a linear
// congruential generator modulo 2^48 (POSIX drand48).

const MULTIPLIER = 0x5deece66dn;
const INCREMENT = 0xbn;
const MODULUS = 1n << 48n;

/** X(n+1) = multiplier X(n) + increment, n steps in one. */
function steps(n: number): { multiplier: bigint; increment: bigint } {
  let multiplier = 1n;
  let increment = 0n;
  let stepMultiplier = MULTIPLIER;
  let stepIncrement = INCREMENT;
  for (let rest = n; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) {
      multiplier = (multiplier * stepMultiplier) % MODULUS;
      increment = (increment * stepMultiplier + stepIncrement) % MODULUS;
    }
    stepIncrement = (stepIncrement * stepMultiplier + stepIncrement) % MODULUS;
    stepMultiplier = (stepMultiplier * stepMultiplier) % MODULUS;
  }
  return { multiplier, increment };
}

/** `count` values of lrand48() after srand48(seed), from the value number `first` (0-based) on. Each is below 2^31. */
export function lrand48(seed: number, first: number, count: number): Int32Array {
  const start = (BigInt.asUintN(32, BigInt(seed)) << 16n) | 0x330en;
  const { multiplier, increment } = steps(first);
  let state = (start * multiplier + increment) % MODULUS;
  const values = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    state = (state * MULTIPLIER + INCREMENT) % MODULUS;
    values[i] = Number(state >> 17n);
  }
  return values;
}
