import type { AuditGateway } from "@/application/people-ports";
import type { AuditEntry } from "@/domain/audit";
import { Problem } from "@/domain/problem";
import type { Client } from "./client";

export class AuditApi implements AuditGateway {
  constructor(readonly client: Client) {}
  entries(): Promise<{ entries: AuditEntry[]; count: number; more: boolean }> { return Promise.resolve({ entries: [], count: 0, more: false }); }
  export(): Promise<Blob> { return Promise.reject(new Problem("failed")); }
}
