import { useId, useState } from "preact/hooks";

const STORED = "sentiment-theme";
const THEMES = ["system", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];

const stored = (): Theme =>
  THEMES.find((theme) => theme === localStorage.getItem(STORED)) ?? "system";

/** The stylesheet follows the attribute; without it, the system. */
export function applyTheme(theme: Theme = stored()): void {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}

export function ThemeChoice() {
  const [theme, setTheme] = useState(stored);
  const id = useId();
  const choose = (chosen: Theme) => {
    localStorage.setItem(STORED, chosen);
    applyTheme(chosen);
    setTheme(chosen);
  };
  return (
    <span class="theme">
      <label for={id} class="unseen">
        Colours
      </label>
      <select
        id={id}
        value={theme}
        onChange={({ currentTarget }) => choose(currentTarget.value as Theme)}
      >
        <option value="system">System</option>
        <option value="light">Light</option>
        <option value="dark">Dark</option>
      </select>
    </span>
  );
}
