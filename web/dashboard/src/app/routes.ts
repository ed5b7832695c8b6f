import { type ComponentType, lazy } from 'react';
import type { Language } from '../i18n/language';
import type { Page } from './page';

const MODULES = import.meta.glob<{ default: Page | Page[] }>('../pages/**/route.ts', { eager: true });
const MESSAGES = import.meta.glob('../pages/**/messages.??.ts');

export interface Route extends Page {
  Component: ComponentType;
  /** Where its messages are. */
  folder: string;
}

/** Every page there is: a folder in src/pages with a `route.ts` is one. */
export const ROUTES: readonly Route[] = Object.entries(MODULES).flatMap(([file, module]) =>
  [module.default].flat().map((page) => ({
    ...page,
    Component: lazy(page.load),
    folder: file.slice(0, file.lastIndexOf('/')),
  })),
);

/** Loads a page, and its messages beside it. */
export async function loadRoute({ folder, load }: Route, language: Language) {
  await Promise.all([load(), MESSAGES[`${folder}/messages.${language}.ts`]?.()]);
}

/** The page that a path shows. */
export const routeOf = (path: string) =>
  ROUTES.find((route) => new RegExp(`^${route.path.replace(/:\w+/g, '[^/]+')}/?$`).test(path));

/** The pages that are listed, in their order. */
export const LISTED = ROUTES.flatMap((route) =>
  route.navigation ? [{ ...route.navigation, path: route.path, role: route.role }] : [],
).sort((one, other) => one.order - other.order);
