import { type ComponentType, lazy } from 'react';
import type { Page } from './page';

const MODULES = import.meta.glob<{ default: Page | Page[] }>('../pages/**/route.ts', { eager: true });

export interface Route extends Page {
  Component: ComponentType;
}

/** Every page there is: a folder in src/pages with a `route.ts` is one. */
export const ROUTES: readonly Route[] = Object.values(MODULES)
  .flatMap((module) => module.default)
  .map((page) => ({ ...page, Component: lazy(page.load) }));

/** The page that a path shows. */
export const routeOf = (path: string) =>
  ROUTES.find((route) => new RegExp(`^${route.path.replace(/:\w+/g, '[^/]+')}/?$`).test(path));

/** The pages that are listed, in their order. */
export const LISTED = ROUTES.flatMap((route) =>
  route.navigation ? [{ ...route.navigation, path: route.path, role: route.role }] : [],
).sort((one, other) => one.order - other.order);
