import { page } from '../../app/page';

export default [
  page({
    path: '/w/:slug/members',
    access: 'workspace',
    load: () => import('./Members'),
    navigation: { group: 'admin', order: 10, icon: 'people', label: 'members' },
  }),
  page({
    path: '/w/:slug/roles',
    access: 'workspace',
    load: () => import('./Roles'),
    navigation: { group: 'admin', order: 11, icon: 'shield', label: 'roles' },
  }),
];
