import { useEffect, useState } from 'react';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'earful-theme';

function kept(): Theme {
  const theme = localStorage.getItem(KEY);
  return THEMES.find((each) => each === theme) ?? 'system';
}

/** Before anything is painted. */
export function applyTheme(theme: Theme = kept()) {
  document.documentElement.dataset.theme = theme;
}

export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState(kept);
  useEffect(() => {
    localStorage.setItem(KEY, theme);
    applyTheme(theme);
  }, [theme]);
  return [theme, setTheme];
}
