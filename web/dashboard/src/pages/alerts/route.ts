import { page } from '../../app/page';

export default [
  page({
    path: '/w/:slug/alerts',
    access: 'workspace',
    load: () => import('./Alerts'),
    navigation: { group: 'workspace', order: 30, icon: 'bell', label: 'alerts' },
  }),
  page({ path: '/w/:slug/alerts/rules/new', access: 'workspace', role: 'ADMIN', load: () => import('./NewRule') }),
  page({ path: '/w/:slug/alerts/rules/:ruleId', access: 'workspace', load: () => import('./Rule') }),
  page({
    path: '/w/:slug/alerts/rules/:ruleId/edit',
    access: 'workspace',
    role: 'ADMIN',
    load: () => import('./EditRule'),
  }),
  page({ path: '/w/:slug/alerts/:alertId', access: 'workspace', load: () => import('./Alert') }),
];
