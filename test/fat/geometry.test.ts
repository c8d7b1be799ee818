import { describe, expect, test } from "vitest";
import { chooseGeometry, clusterBytes, type Demand, dataOffset, fatTypeOf } from "../../src/fat/geometry.ts";

const MiB = 2 ** 20;
const holding = (bytes: number): Demand => ({ rootEntries: 10, clusters: (_, unit) => Math.ceil(bytes / unit) });

describe("the type follows from the count of clusters", () => {
  test.each([
    [1, 12],
    [4084, 12],
    [4085, 16],
    [65524, 16],
    [65525, 32],
  ])("%d clusters: FAT%d", (clusters, type) => expect(fatTypeOf(clusters)).toBe(type));
});

describe("a given size", () => {
  test.each([
    [64 * 1024, 12, 1024],
    [2 * MiB, 12, 1024],
    [4 * MiB, 12, 1024],
    [5 * MiB, 12, 2048],
    [7.9 * MiB, 12, 2048],
    [8 * MiB, 16, 1024],
    [8.2 * MiB, 16, 1024],
    [33 * MiB, 16, 1024],
    [100 * MiB, 16, 2048],
    [200 * MiB, 16, 4096],
    [500 * MiB, 16, 8192],
    [513 * MiB, 32, 4096],
    [9000 * MiB, 32, 8192],
    [17_000 * MiB, 32, 16384],
    [100_000 * MiB, 32, 32768],
  ])("%d bytes: FAT%d with clusters of %d", (size, type, cluster) => {
    const geometry = chooseGeometry({ sizeBytes: Math.floor(size / 512) * 512 }, holding(100));
    expect([geometry.fatType, clusterBytes(geometry)]).toEqual([type, cluster]);
  });

  test("every size from 16 KiB to 2 TiB has a type, all clusters are inside, and the FAT covers them and no more", () => {
    for (let sectors = 64; sectors < 2 ** 32; sectors = Math.ceil(sectors * 1.013)) {
      const geometry = chooseGeometry({ sizeBytes: sectors * 512 }, holding(0));
      const { clusters, fatType, sectorsPerFat, sectorsPerCluster } = geometry;
      const end = dataOffset(geometry) + clusters * clusterBytes(geometry);
      expect(end).toBeLessThanOrEqual(sectors * 512);
      // room for one more cluster would be a waste, unless its FAT entry takes that room
      expect(sectors * 512 - end).toBeLessThan(clusterBytes(geometry) + 2 * 512);
      expect((sectorsPerFat * 512 * 8) / fatType).toBeGreaterThanOrEqual(clusters + 2);
      expect(((sectorsPerFat - 1) * 512 * 8) / fatType).toBeLessThan(clusters + 2 + (2 * 512) / sectorsPerCluster);
      expect(fatTypeOf(clusters + 16)).toBe(fatType);
      expect(fatTypeOf(clusters - 16)).toBe(clusters < 17 ? 12 : fatType);
    }
  });

  test.each([
    [{ sizeBytes: 1000 }, "invalid-argument"],
    [{ sizeBytes: 0 }, "invalid-argument"],
    [{ sizeBytes: Number.NaN }, "invalid-argument"],
    [{ sizeBytes: 2 ** 41 }, "invalid-argument"],
    [{ sizeBytes: 4 * MiB, fatType: 32 as const }, "invalid-argument"],
    [{ sizeBytes: 4 * MiB, sectorsPerCluster: 3 }, "invalid-argument"],
    [{ fatType: 8 as 12 }, "invalid-argument"],
    [{ sizeBytes: 32 * 1024 }, "no-space"],
  ])("%j: %s", (request, code) => {
    expect(() => chooseGeometry(request, holding(100_000))).toThrow(expect.objectContaining({ code }));
  });
  test("the message says which size would do", () => {
    expect(() => chooseGeometry({ sizeBytes: 64 * 1024 }, holding(100_000))).toThrow(/118784 bytes would do/);
    expect(chooseGeometry({ sizeBytes: 118_784 }, holding(100_000)).clusters).toBeGreaterThanOrEqual(98);
  });
});

describe("no size", () => {
  test.each([
    [0, 12],
    [1000, 12],
    [4 * MiB, 12],
    [7.9 * MiB, 12],
    [8 * MiB, 16],
    [400 * MiB, 16],
    [600 * MiB, 32],
    [20_000 * MiB, 32],
  ])("%d bytes: FAT%d, little more than needed", (bytes, type) => {
    const demand = holding(bytes);
    const geometry = chooseGeometry({}, demand);
    expect(geometry.fatType).toBe(type);
    const spare = geometry.clusters - demand.clusters(geometry.fatType, clusterBytes(geometry));
    expect(spare).toBeGreaterThanOrEqual(bytes === 0 ? 1 : 0);
    expect(spare).toBeLessThanOrEqual(2);
    expect(geometry.totalSectors % 4).toBe(0);
    // The same size given, the same volume comes out.
    expect(chooseGeometry({ sizeBytes: geometry.totalSectors * 512 }, demand)).toEqual(geometry);
  });
  test("a type that was asked for is padded to its least count of clusters", () => {
    expect(chooseGeometry({ fatType: 16 }, holding(1000))).toMatchObject({ fatType: 16, sectorsPerCluster: 1 });
    expect(chooseGeometry({ fatType: 32 }, holding(1000))).toMatchObject({ fatType: 32, sectorsPerCluster: 1 });
    expect(chooseGeometry({ fatType: 32 }, holding(1000)).clusters).toBeGreaterThanOrEqual(65541);
  });
  test("more than the type can hold", () => {
    expect(() => chooseGeometry({ fatType: 12 }, holding(300 * MiB))).toThrow(
      expect.objectContaining({ code: "no-space" }),
    );
  });
});
