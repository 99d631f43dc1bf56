import { isTheme, THEME_COOKIE, type Theme } from "@/domain/theme";

/** The theme that a request's cookies ask for. */
export function themeOf(cookies: { get(name: string): { readonly value: string } | undefined }): Theme {
  const value = cookies.get(THEME_COOKIE)?.value;
  return isTheme(value) ? value : "system";
}
