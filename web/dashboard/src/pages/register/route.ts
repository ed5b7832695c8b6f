import { page } from '../../app/page';

export default page({ path: '/register', access: 'signed-out', load: () => import('./Register') });
