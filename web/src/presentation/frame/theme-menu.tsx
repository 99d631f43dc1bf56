"use client";

import { Monitor, Moon, Sun } from "lucide-react";
import { useSyncExternalStore } from "react";
import { isTheme, THEME_COOKIE, type Theme } from "@/domain/theme";
import { IconButton } from "@/presentation/ui/button";
import { Menu, MenuChoice } from "@/presentation/ui/menu";

const CHOICES = [
  { value: "light", label: "Light", icon: Sun },
  { value: "dark", label: "Dark", icon: Moon },
  { value: "system", label: "As the system", icon: Monitor },
] as const;

const YEAR_S = 31_536_000;
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

function read(): Theme {
  const value = document.documentElement.dataset.theme;
  return isTheme(value) ? value : "system";
}

/** A cookie, so that the server renders the chosen theme and nothing flashes. */
function choose(theme: string): void {
  if (!isTheme(theme)) return;
  document.documentElement.dataset.theme = theme;
  document.cookie = `${THEME_COOKIE}=${theme}; Path=/; Max-Age=${YEAR_S}; SameSite=Lax`;
  for (const listener of listeners) listener();
}

export function ThemeMenu() {
  const theme = useSyncExternalStore(subscribe, read, () => "system" as const);
  const Icon = CHOICES.find((choice) => choice.value === theme)?.icon ?? Monitor;
  return (
    <Menu
      trigger={
        <IconButton label="Theme" data-testid="theme">
          <Icon aria-hidden className="size-4" strokeWidth={1.75} />
        </IconButton>
      }
    >
      <MenuChoice value={theme} choices={CHOICES} onChoose={choose} />
    </Menu>
  );
}
