"use client";

import { createContext, use } from "react";
import type { ClientConfig, Services } from "@/application/services";

interface Provided {
  readonly services: Services;
  readonly config: ClientConfig;
}

export const ServicesContext = createContext<Provided | null>(null);

function useProvided(): Provided {
  const provided = use(ServicesContext);
  if (!provided) throw new Error("A page was rendered outside of the composition; wrap it in <Composition>.");
  return provided;
}

export function useServices(): Services {
  return useProvided().services;
}

export function useConfig(): ClientConfig {
  return useProvided().config;
}
